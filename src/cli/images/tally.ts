/** Which images pods use, counted pod by pod: what is kept grows with the images and their namespaces, not with the pods. */
import { imageUses, type Pod, statusesOf } from '../explain/subject.ts'

/** What was seen of one image. */
export interface Seen {
  /** Those that run, as far as the kubelet tells: a tag may have been several. */
  digests: Set<string>
  /** Name of a namespace → pods in it that use the image. */
  pods: Map<string, number>
}

/** By the image as pods write it. */
export type Tally = Map<string, Seen>

export function countPod(tally: Tally, pod: Pod): void {
  const { metadata, spec = {} } = pod
  const uses = Map.groupBy(imageUses(spec, statusesOf(pod)), ({ image }) => image)
  const namespace = metadata.namespace ?? ''
  for (const [image, containers] of uses) {
    const seen = tally.get(image) ?? { digests: new Set(), pods: new Map() }
    tally.set(image, seen)
    seen.pods.set(namespace, (seen.pods.get(namespace) ?? 0) + 1)
    for (const digest of containers.flatMap(({ status }) => digestIn(status?.imageID) ?? [])) seen.digests.add(digest)
  }
}

/**
 * Of `registry/repository@digest`. What has no name before it is no digest of a registry: the image was loaded into the node,
 * or the runtime tells how it calls it itself.
 */
function digestIn(imageId = ''): string | undefined {
  return /@(\w+:[0-9a-f]{32,128})$/.exec(imageId)?.[1]
}
