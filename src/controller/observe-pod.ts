/**
 * From pods that have not started to the facts the model works with. Nearly all of them wait for a node or just start, and
 * are one and the same value here; of the others no message is kept, only what it says of logins.
 */
import type { KubeObject } from '../kube/objects.ts'
import { nameOf, parseImage } from '../model/image.ts'
import { maxPullSecrets } from '../model/observed.ts'
import { causeOf } from '../model/pull-message.ts'
import type { ObservedPod, Wait } from '../model/stuck-pod.ts'

/** Of core/v1 Pod. */
interface Pod extends KubeObject {
  spec?: {
    serviceAccountName?: string
    imagePullSecrets?: { name?: string }[]
    initContainers?: Container[]
    containers?: Container[]
  }
  status?: { initContainerStatuses?: ContainerStatus[]; containerStatuses?: ContainerStatus[] }
}

interface Container {
  name: string
  image?: string
}

interface ContainerStatus {
  name: string
  restartCount?: number
  state?: { waiting?: { reason?: string; message?: string }; running?: object; terminated?: object }
  lastState?: { running?: object; terminated?: object }
}

const none: readonly never[] = Object.freeze([])

const notWaiting: ObservedPod = Object.freeze({
  namespace: '',
  name: '',
  uid: '',
  resourceVersion: '',
  createdAt: 0,
  deleting: false,
  serviceAccount: '',
  pullSecrets: none,
  waits: none,
  replacedBy: undefined,
})

/** Different images of one pod that are kept. */
const maxWaits = 8
/** A registry, a repository of 255 characters, a tag and a digest. */
const maxImageLength = 1024

/**
 * Those that make a pod anew whatever became of the one before. For others it may be the end of what they run: to a Job a
 * pod that is deleted has failed, and counts against its backoffLimit; a pipeline fails with the pod of its step.
 */
const replacing = new Set([
  'apps/v1 ReplicaSet',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'v1 ReplicationController',
])

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export function observePod(object: KubeObject): ObservedPod {
  const { metadata, spec } = object as Pod
  const { serviceAccountName = 'default', imagePullSecrets = none } = spec ?? {}
  const waits = waitsOf(object)
  if (waits.length === 0 || imagePullSecrets.length > maxPullSecrets) return notWaiting
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    createdAt: Date.parse(metadata.creationTimestamp ?? ''),
    deleting: metadata.deletionTimestamp !== undefined,
    serviceAccount: serviceAccountName,
    pullSecrets: imagePullSecrets.map(({ name }) => name ?? ''),
    waits,
    replacedBy: replacedBy(object),
  }
}

function waitsOf({ spec = {}, status = {} }: Pod): Wait[] {
  const images = new Map([...(spec.initContainers ?? none), ...(spec.containers ?? none)].map((c) => [c.name, c.image]))
  const waits = new Map<string, Wait>()
  for (const { name, state } of [...(status.initContainerStatuses ?? none), ...(status.containerStatuses ?? none)]) {
    const { reason = '', message = '' } = state?.waiting ?? {}
    const cause = reason === '' ? undefined : causeOf(reason, message)
    const image = cause && parseImage((images.get(name) ?? '').slice(0, maxImageLength))
    if (!image) continue
    const wait = { image: nameOf(image), cause }
    if (waits.size < maxWaits) waits.set(`${wait.image} ${cause}`, wait)
  }
  return [...waits.values()]
}

function replacedBy({ metadata, status }: Pod): string | undefined {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller)
  if (controller === undefined || !replacing.has(`${controller.apiVersion} ${controller.kind}`)) return undefined
  if (metadata.annotations?.[mirrorAnnotation] !== undefined) return undefined
  return (status?.containerStatuses ?? none).some(hasRun) ? undefined : controller.uid
}

function hasRun({ restartCount = 0, state, lastState }: ContainerStatus): boolean {
  const states = [state, lastState]
  return restartCount > 0 || states.some((each) => each?.running !== undefined || each?.terminated !== undefined)
}
