/** The ConfigMap that says which registries are trusted (config/policies/trusted-registries), read with the user's rights. */
import { trustedKey } from '../api/names.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { firstOf } from '../model/first-of.ts'
import { readTrusted, trustsAny } from '../model/trusted.ts'
import { type Read, tryRead } from './reads.ts'

/** Of core/v1 ConfigMap. */
interface ConfigMap extends KubeObject {
  data?: { registries?: string; [trustedKey]?: string }
}

/** The lines of both its lists. @throws ApiError, ConnectionError */
export async function readTrustedList(client: KubeClient, namespace: string, name: string): Promise<Read<string[]>> {
  const read = await tryRead(client.get<ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/${name}`))
  if (read.state !== 'read') return read
  const { registries = '', [trustedKey]: credentials = '' } = read.value.data ?? {}
  return { state: 'read', value: [...readTrusted(registries), ...readTrusted(credentials)] }
}

/** What is wrong with lines that no image can match. Undefined: there are none. */
export function idleLines(lines: readonly string[]): string | undefined {
  const idle = lines.filter((line) => !trustsAny(line))
  return idle.length > 0 ? `has lines that trust nothing: ${firstOf(idle, 5)}` : undefined
}

/** How a line is meant, a sentence. */
export const lineRule = 'A line is a registry, or one and the beginning of a path, such as docker.io/library.'
