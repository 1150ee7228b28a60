/** Reads source Secrets for the sources: of the operator's own namespace only, and only those that the watch has seen. */

import type { ObjectMeta } from '../api/object-meta.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { SourceSecret } from '../model/source-secret.ts'
import type { SourceContext } from '../sources/source.ts'
import { secretPath } from './secret-writer.ts'

export function sourceReader(client: KubeClient, namespace: string): SourceContext {
  return {
    async readSecret(name) {
      try {
        const secret = await client.get<KubeObject & Partial<SourceSecret>>(secretPath(namespace, name))
        const changedAt = lastChange(secret.metadata)
        return { type: secret.type ?? 'Opaque', data: secret.data ?? {}, ...(changedAt && { changedAt }) }
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw error
      }
    },
  }
}

/** The last write that anybody made, else the creation. RFC 3339 times in UTC sort as text. */
function lastChange({ managedFields, creationTimestamp }: ObjectMeta): string | undefined {
  return [creationTimestamp, ...(managedFields ?? []).map(({ time }) => time)]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1)
}
