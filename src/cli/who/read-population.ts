/** Reads who there is, with the user's rights. */
import { observeCredential, observeNamespace, observeServiceAccount } from '../../controller/observe.ts'
import { credentialsPath } from '../../controller/watches.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { Problem } from '../problem.ts'
import { find, listAll, tryRead, whatWasRead } from '../reads.ts'
import { listSecrets } from '../recognize.ts'
import type { Population, UsingPod } from './uses.ts'

export interface Scope {
  /** Only these credentials; empty: all. */
  credentials: readonly string[]
  /** Only this namespace. */
  namespace: string | undefined
  pods: boolean
}

/** @returns with sentences on what the user may not read. @throws ApiError without the rights that nothing can do without */
export async function readPopulation(
  client: KubeClient,
  scope: Scope,
): Promise<{ population: Population; notes: string[] }> {
  const { namespace } = scope
  const base = namespace === undefined ? '/api/v1' : `/api/v1/namespaces/${namespace}`
  const all = (await listAll(client, credentialsPath)).map(observeCredential)
  const missing = scope.credentials.find((name) => !all.some((each) => each.name === name))
  if (missing !== undefined) throw new Problem(`registrycredentials.regcred.dev "${missing}" not found`)
  const credentials = all.filter(({ name }) => scope.credentials.length === 0 || scope.credentials.includes(name))
  const names = [...new Set(credentials.map(({ secretName }) => secretName))]
  const [namespaces, serviceAccounts, secrets, pods] = await Promise.all([
    readNamespaces(client, namespace),
    listAll(client, `${base}/serviceaccounts`),
    tryRead(listSecrets(client, `${base}/secrets`, names)),
    scope.pods ? tryRead(listAll<Pod>(client, `${base}/pods`)) : undefined,
  ])
  const notes = [
    ...(secrets.state === 'read'
      ? []
      : ['You may not list Secrets, so a login counts as being where its credential selects the namespace.']),
    ...(pods === undefined || pods.state === 'read'
      ? []
      : ['You may not list pods, so how many there are is not known.']),
  ]
  const population: Population = {
    credentials,
    namespaces: namespaces.map(observeNamespace),
    serviceAccounts: serviceAccounts.map(observeServiceAccount),
    secrets: whatWasRead(secrets),
    pods: pods && whatWasRead(pods)?.flatMap(usingPod),
  }
  return { population, notes }
}

/** @param name undefined: all @throws Problem where it is not there; ApiError */
export async function readNamespaces(client: KubeClient, name: string | undefined): Promise<KubeObject[]> {
  if (name === undefined) return listAll(client, '/api/v1/namespaces', { metadata: true })
  const namespace = await find(client, `/api/v1/namespaces/${name}`)
  if (namespace === undefined) throw new Problem(`namespaces "${name}" not found`)
  return [namespace]
}

/** Of core/v1 Pod. */
interface Pod extends KubeObject {
  spec?: { serviceAccountName?: string; imagePullSecrets?: { name?: string }[] }
  status?: { phase?: string }
}

/** None of one that has ended. */
function usingPod({ metadata, spec = {}, status = {} }: Pod): UsingPod[] {
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return []
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  return [
    {
      namespace: metadata.namespace ?? '',
      serviceAccount: spec.serviceAccountName || 'default',
      pullSecrets: (spec.imagePullSecrets ?? []).map(({ name = '' }) => name),
      workload: owner ? workloadOf(owner.kind, owner.name, metadata.labels) : `Pod/${metadata.name}`,
    },
  ]
}

/** The ReplicaSets of a Deployment are one workload: they are called after it and the hash of their template. */
function workloadOf(kind: string, name: string, labels: Record<string, string> = {}): string {
  const suffix = `-${labels['pod-template-hash']}`
  return kind === 'ReplicaSet' && name.endsWith(suffix)
    ? `Deployment/${name.slice(0, -suffix.length)}`
    : `${kind}/${name}`
}
