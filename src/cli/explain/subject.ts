/** What is explained: a pod, the pod that a workload would make, or an image for a ServiceAccount. */
import type { KubeObject } from '../../kube/objects.ts'
import { type LabelSelector, matchesLabels } from '../../model/label-selector.ts'

export interface Subject {
  /** As in commands: `pod/web-1`, `deployment/web`, `image`. */
  name: string
  namespace: string
  serviceAccount: string
  /** The `imagePullSecrets` of its own spec. */
  pullSecrets: readonly string[]
  /** Undefined: the pod is yet to be made, and gets its ServiceAccount's list where it has none of its own. */
  pod: ExistingPod | undefined
  images: readonly SubjectImage[]
  /** Names of the pods that a workload has, and that cannot pull now. */
  stuckPods: readonly string[]
}

export interface ExistingPod {
  name: string
  uid: string
  /** Milliseconds since 1970. */
  createdAt: number
  /** `ReplicaSet/web-1`, which makes another in its place. */
  controller: string | undefined
}

export interface SubjectImage {
  /** `container app`, `init container setup`, `ephemeral container debug`, `volume data`. */
  user: string
  /** As it is written there. */
  image: string
  /** A container has been made of it. */
  pulled: boolean
  /** Why the container does not run yet, in the words of the kubelet; never printed. */
  waiting: { reason: string; message: string } | undefined
}

/** Of core/v1 PodSpec. */
interface PodSpec {
  serviceAccountName?: string
  imagePullSecrets?: { name?: string }[]
  initContainers?: Container[]
  containers?: Container[]
  ephemeralContainers?: Container[]
  volumes?: { name: string; image?: { reference?: string } }[]
}

interface Container {
  name: string
  image?: string
}

interface ContainerStatus {
  name: string
  imageID?: string
  state?: { waiting?: { reason?: string; message?: string } }
}

/** Of core/v1 Pod. */
export interface Pod extends KubeObject {
  spec?: PodSpec
  status?: {
    phase?: string
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
    ephemeralContainerStatuses?: ContainerStatus[]
  }
}

/** Of apps/v1 and batch/v1: what has a template of a pod. */
export interface Workload extends KubeObject {
  spec?: {
    selector?: LabelSelector
    template?: { spec?: PodSpec }
    jobTemplate?: { spec?: { template?: { spec?: PodSpec } } }
  }
}

/** Of containers of all kinds, whose names differ. */
export function statusesOf({ status = {} }: Pod): ContainerStatus[] {
  return [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
}

export function subjectOfPod(pod: Pod): Subject {
  const { metadata, spec = {} } = pod
  const controller = metadata.ownerReferences?.find((owner) => owner.controller)
  return {
    ...subjectOfSpec(spec),
    name: `pod/${metadata.name}`,
    namespace: metadata.namespace ?? '',
    pod: {
      name: metadata.name,
      uid: metadata.uid,
      createdAt: Date.parse(metadata.creationTimestamp ?? ''),
      controller: controller && `${controller.kind}/${controller.name}`,
    },
    images: imagesOf(spec, statusesOf(pod)),
    stuckPods: [],
  }
}

/**
 * @param kind lower-case, as in commands
 * @param pods those of its namespace; those that its selector does not select are not looked at
 */
export function subjectOfWorkload(kind: string, { metadata, spec = {} }: Workload, pods: readonly Pod[]): Subject {
  const template = spec.template?.spec ?? spec.jobTemplate?.spec?.template?.spec ?? {}
  return {
    ...subjectOfSpec(template),
    name: `${kind}/${metadata.name}`,
    namespace: metadata.namespace ?? '',
    pod: undefined,
    images: imagesOf(template, []),
    stuckPods: spec.selector ? stuckPods(spec.selector, pods) : [],
  }
}

function stuckPods(selector: LabelSelector, pods: readonly Pod[]): string[] {
  const own = pods.filter(({ metadata }) => matchesLabels(selector, metadata.labels ?? {}))
  const stuck = own.filter((pod) => subjectOfPod(pod).images.some(({ waiting }) => cannotPull(waiting)))
  return stuck.map(({ metadata }) => metadata.name).sort()
}

export function subjectOfImage(image: string, namespace: string, serviceAccount: string): Subject {
  const images = [{ user: 'image', image, pulled: false, waiting: undefined }]
  return { name: 'image', namespace, serviceAccount, pullSecrets: [], pod: undefined, images, stuckPods: [] }
}

function subjectOfSpec({ serviceAccountName, imagePullSecrets = [] }: PodSpec) {
  return { serviceAccount: serviceAccountName || 'default', pullSecrets: imagePullSecrets.map(({ name = '' }) => name) }
}

function imagesOf(spec: PodSpec, statuses: readonly ContainerStatus[]): SubjectImage[] {
  return imageUses(spec, statuses).map(({ user, image, status }) => {
    const { reason = '', message = '' } = status?.state?.waiting ?? {}
    return { user, image, pulled: !!status?.imageID, waiting: reason === '' ? undefined : { reason, message } }
  })
}

/** An image that a pod names. */
export interface ImageUse extends Pick<SubjectImage, 'user' | 'image'> {
  /** Of the container that is made of it. */
  status: ContainerStatus | undefined
}

/** Of containers of all kinds, and of volumes. */
export function imageUses(spec: PodSpec, statuses: readonly ContainerStatus[]): ImageUse[] {
  const kinds = [
    ['init container', spec.initContainers],
    ['container', spec.containers],
    ['ephemeral container', spec.ephemeralContainers],
  ] as const
  const ofContainers = kinds.flatMap(([kind, containers = []]) =>
    containers.map(({ name, image = '' }) => {
      return { user: `${kind} ${name}`, image, status: statuses.find((each) => each.name === name) }
    }),
  )
  const ofVolumes = (spec.volumes ?? []).flatMap(({ name, image }) =>
    image?.reference ? [{ user: `volume ${name}`, image: image.reference, status: undefined }] : [],
  )
  return [...ofContainers, ...ofVolumes]
}

/** Whether the kubelet says that the image could not be pulled, for whatever reason. */
export function cannotPull(waiting: { reason: string } | undefined): boolean {
  return /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|RegistryUnavailable|ImageInspectError|SignatureValidationFailed)$/.test(
    waiting?.reason ?? '',
  )
}
