/** What is known when an image is explained; what the user may not read is undefined, and then less can be told. */
import { dockerConfigJsonKey } from '../../api/names.ts'
import type { ObservedCredential } from '../../controller/observe.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { DockerConfigProblem, decodeBase64, parseDockerCfg, parseDockerConfigJson } from '../../model/docker-config.ts'
import type { ObservedServiceAccount, RecognizedSecret } from '../../model/observed.ts'
import { printableKey } from '../../model/registry-key.ts'
import type { Namespace } from '../../model/selection.ts'
import type { Read } from '../reads.ts'
import { recognize } from '../recognize.ts'
import type { Subject } from './subject.ts'

export interface Facts {
  subject: Subject
  namespace: Namespace | undefined
  serviceAccount: Read<ObservedServiceAccount>
  credentials: readonly ObservedCredential[] | undefined
  /** By name: those that the pod names, and those that credentials would have here. */
  secrets: ReadonlyMap<string, SecretFacts>
  now: Date
}

export type SecretFacts =
  | { state: 'missing' }
  /** The user may not read it. */
  | { state: 'hidden' }
  | {
      state: 'read'
      secret: RecognizedSecret
      /** Names of the credentials that own it, as it says. */
      owners: readonly string[]
      /** Docker config keys, in their order; none where the kubelet ignores it. */
      keys: readonly string[]
      /** Why the kubelet pulls nothing for a pod that names it, or ignores it. */
      problem: { kind: 'malformed' | 'ignored'; message: string } | undefined
    }

/** A core/v1 Secret. */
export interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

export function secretFacts(read: Read<Secret>): SecretFacts {
  if (read.state === 'missing') return { state: 'missing' }
  if (read.state === 'forbidden') return { state: 'hidden' }
  const { value } = read
  const owners = (value.metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'RegistryCredential')
  return { state: 'read', secret: recognize(value), owners: owners.map(({ name }) => name), ...contentOf(value) }
}

/** As the kubelet reads it (`MakeDockerKeyring`). */
function contentOf({ type = 'Opaque', data = {} }: Secret): Pick<SecretFacts & { state: 'read' }, 'keys' | 'problem'> {
  const isConfigJson = type === 'kubernetes.io/dockerconfigjson'
  const field = isConfigJson ? dockerConfigJsonKey : '.dockercfg'
  if (!isConfigJson && type !== 'kubernetes.io/dockercfg') {
    return { keys: [], problem: { kind: 'ignored', message: `its type is ${type}, which the kubelet ignores` } }
  }
  const text = decodeBase64(data[field] ?? '') ?? ''
  try {
    const entries = isConfigJson ? parseDockerConfigJson(text) : parseDockerCfg(text)
    return { keys: [...entries.keys()], problem: undefined }
  } catch (problem) {
    if (!(problem instanceof DockerConfigProblem)) throw problem
    const entry = problem.key === undefined ? '' : `entry ${shownKey(problem.key)}: `
    return { keys: [], problem: { kind: 'malformed', message: `${entry}${problem.message}` } }
  }
}

/** A stray key may hold a password. */
export function shownKey(key: string): string {
  return printableKey(key) ?? '(not shown: it is no registry)'
}

/** The list that the kubelet goes by; undefined where it comes from a ServiceAccount that cannot be read. */
export function pullSecretsOf({ subject, serviceAccount }: Facts): readonly string[] | undefined {
  if (subject.pod !== undefined || subject.pullSecrets.length > 0) return subject.pullSecrets
  if (serviceAccount.state === 'missing') return []
  return serviceAccount.state === 'read' ? serviceAccount.value.pullSecrets : undefined
}
