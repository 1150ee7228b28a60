/**
 * Pods for the tests of the pod loop. There is no node: the test writes what a kubelet would write into their status, in
 * the words of a real one. Deployments are real, and so is who makes their pods.
 */
import { parseAllDocuments } from 'yaml'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import type { AuditEntry } from '../cluster/audit.ts'
import { eventually } from '../cluster/wait.ts'
import type { Lab } from './lab.ts'
import { requestsSince } from './traffic.ts'

export interface Pod extends KubeObject {
  spec: { imagePullSecrets?: { name: string }[] }
}

/** containerd 2 without a login, and with a wrong one. */
export const missing =
  'failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials'
export const refused =
  'failed to resolve image: unexpected status from HEAD request to https://ghcr.io/v2/acme/app/manifests/1: 401 Unauthorized'

export const image = 'ghcr.io/acme/app:1'
export const login = { 'ghcr.io': { username: 'robot', password: 'login-of-stuck-pods' } }

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`
}

export interface PodOptions {
  pullSecrets?: string[]
  metadata?: object
}

/** Makes a bare pod. */
export async function makePod(lab: Lab, namespace: string, name: string, options: PodOptions = {}): Promise<Pod> {
  const metadata = { name, ...options.metadata }
  return await lab.create<Pod>(podsPath(namespace), { metadata, spec: podSpec(options) })
}

function podSpec({ pullSecrets }: PodOptions) {
  return {
    containers: ['app', 'side'].map((name) => ({ name, image })),
    ...(pullSecrets && { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
  }
}

/** Makes a Deployment `web` of one pod, and returns that. */
export async function deploy(lab: Lab, namespace: string, options: PodOptions = {}): Promise<Pod> {
  const labels = { app: 'web' }
  await lab.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(options) } },
  })
  return await successor(lab, namespace)
}

/** The one pod of the namespace, which is another than `before`. */
export async function successor(lab: Lab, namespace: string, before?: Pod): Promise<Pod> {
  return await eventually(async () => {
    const [pod = null, ...others] = await pods(lab, namespace)
    return others.length === 0 && pod?.metadata.uid !== before?.metadata.uid && pod
  })
}

export async function pods(lab: Lab, namespace: string): Promise<Pod[]> {
  return (await lab.client.get<KubeList<Pod>>(podsPath(namespace))).items ?? []
}

export function namesOf({ spec }: Pod): string[] {
  return (spec.imagePullSecrets ?? []).map(({ name }) => name)
}

/** The container `app` waits; `side` as well, unless its state is given. */
export async function wait(
  lab: Lab,
  { metadata: { namespace = '', name } }: Pod,
  message: string,
  { reason = 'ErrImagePull', side = {} }: { reason?: string; side?: object } = {},
): Promise<void> {
  const status = { image, imageID: '', ready: false, restartCount: 0 }
  const containerStatuses = [
    { ...status, name: 'app', state: { waiting: { reason, message } } },
    { ...status, name: 'side', state: { waiting: { reason: 'ContainerCreating' } }, ...side },
  ]
  await lab.patch(`${podsPath(namespace)}/${name}/status`, { status: { phase: 'Pending', containerStatuses } })
}

/** Reasons of the Events about a pod; an Event that is told twice is there twice. */
export async function reasons(lab: Lab, { metadata: { namespace = '', uid } }: Pod): Promise<string[]> {
  type Event = KubeObject & { regarding: { uid: string }; reason: string; series?: { count: number } }
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
  const items = (await lab.client.get<KubeList<Event & { reportingController: string }>>(path)).items ?? []
  return items
    .filter(({ regarding, reportingController }) => {
      return regarding.uid === uid && reportingController === 'regcred.dev/operator'
    })
    .flatMap(({ reason, series }) => Array<string>(series?.count ?? 1).fill(reason))
    .sort()
}

export async function stuckOf(lab: Lab, credential: string): Promise<number | undefined> {
  return (await lab.readCredential(credential)).status?.pods?.stuck
}

/** As config/evict-pods installs it. @returns takes it away again */
export async function allowEvictions(lab: Lab): Promise<() => Promise<void>> {
  const component = await lab.cluster.kubectl('kustomize', 'config/evict-pods')
  for (const document of parseAllDocuments(component)) await lab.cluster.apply(JSON.stringify(document.toJS()))
  return async () => {
    await lab.cluster.kubectl('delete', 'clusterrole,clusterrolebinding', 'regcred-operator-evict-pods')
  }
}

/** The evictions that the operator has asked for. */
export async function evictions(lab: Lab, since: Date): Promise<AuditEntry[]> {
  return (await requestsSince(lab.cluster, since)).filter(({ subresource }) => subresource === 'eviction')
}
