/**
 * When a kubelet asks the registry about an image that is on its node already (imagePullPolicy IfNotPresent): KEP-2535,
 * “Ensure Secret Pulled Images”, on by default since Kubernetes 1.35.
 *
 * Source: Kubernetes v1.37.2, pkg/kubelet/images/image_manager.go (`EnsureImageExists`) and pullmanager/ beside it
 * (`MustAttemptImagePull`, `pulledRecordMergeNewCreds`, `NeverVerifyPreloadedPullPolicy`). Here for pods with one pull Secret
 * that has a good login for the image. What was ever pulled without a login, or with one of the node, is everybody's there.
 */

/** `imagePullCredentialsVerificationPolicy` of the kubelet: its default, and the strictest. */
export type Policy = 'NeverVerifyPreloadedImages' | 'AlwaysVerify'

export interface PullSecret {
  /** Namespace, name and uid. */
  coordinates: string
  /** Of user name, password and email of the entry that matches the image, and of nothing else in the Secret. */
  hash: string
}

/** One image on one node. */
export interface NodeImage {
  present: boolean
  /** Coordinates → hash of what the kubelet has let use it. Undefined: it has never pulled it. */
  record: Map<string, string> | undefined
}

/** `checked`: it was there, and is pulled again to see whether the registry takes the login. `used`: nobody was asked. */
export type Start = 'pulled' | 'checked' | 'used'

/**
 * `writeRecordWhileMatchingLimit`. The KEP (“Cache writes upon successful credentials match”) has it limit writes alone; in the
 * code a Secret with another login than the recorded one is let pass only together with that write.
 */
export const maxWritten = 100

/** Starts a container, and records what the kubelet would. */
export function startContainer(image: NodeImage, secret: PullSecret, policy: Policy): Start {
  if (image.present && isLetPass(image, secret, policy)) return 'used'
  const start = image.present ? 'checked' : 'pulled'
  image.present = true
  image.record ??= new Map()
  image.record.set(secret.coordinates, secret.hash)
  return start
}

function isLetPass({ record }: NodeImage, { coordinates, hash }: PullSecret, policy: Policy): boolean {
  if (record === undefined) return policy === 'NeverVerifyPreloadedImages'
  const isWritten = record.size < maxWritten
  const isKnown = (isWritten && record.has(coordinates)) || holds(record, hash)
  if (isKnown && isWritten) record.set(coordinates, hash)
  return isKnown
}

function holds(record: ReadonlyMap<string, string>, hash: string): boolean {
  for (const known of record.values()) if (known === hash) return true
  return false
}
