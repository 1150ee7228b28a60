/** What keeps a pod from pulling an image that a credential is for, and what heals it. */
import type { Credential } from './credential.ts'
import type { CredentialState } from './desired.ts'
import type { ObservedServiceAccount } from './observed.ts'
import type { PullCause } from './pull-message.ts'
import { selectsServiceAccount } from './selection.ts'

/** A pod that has not started yet. */
export interface ObservedPod {
  namespace: string
  name: string
  uid: string
  resourceVersion: string
  /** Milliseconds since 1970. */
  createdAt: number
  deleting: boolean
  serviceAccount: string
  pullSecrets: readonly string[]
  /** The images that it waits for in want of a login; empty for all other pods, of which nothing else is known. */
  waits: readonly Wait[]
  /**
   * The uid of the controller that makes another in its place when it is evicted, and loses nothing by it. Undefined: it
   * must never be evicted.
   */
  replacedBy: string | undefined
}

export interface Wait {
  /** Normalised name without tag, as docker config keys are compared with. */
  image: string
  cause: PullCause
}

export type Verdict =
  /** It was made before its ServiceAccount named the Secret. One that is made anew gets it. */
  | 'NotReferenced'
  /** It has a list of its own without the Secret, and would have it again if it were made anew. */
  | 'OwnList'
  /** It names the Secret, and was refused before the login in use was had. */
  | 'RefusedBefore'
  /** It names the Secret, and the login in use is refused. */
  | 'Refused'
  /** The kubelet cannot read another of its pull Secrets, and so pulls nothing. */
  | 'MalformedSecret'

/** One pod in the eyes of one credential that selects its namespace and is up to date there. */
export interface Case {
  pod: ObservedPod
  serviceAccount: ObservedServiceAccount | undefined
  credential: Credential
  /** Of the login in use; milliseconds since 1970. */
  issuedAt: number
  /** Whether the entries in use have a key for the image. */
  covers(image: string): boolean
  /** Milliseconds for which nothing of this has changed but the pod's own attempts. */
  heldMs: number
}

/**
 * The kubelet waits at most five minutes between attempts: what is refused after twice as long was refused with what there
 * is now (`pkg/kubelet/kubelet.go`, MaxImageBackOff).
 */
export const attemptedMs = 10 * 60_000
/** A login is in the namespaces before: a pod that is made later has met no other. */
const rolloutMs = 30_000
/** The API server's admission learns of a ServiceAccount a moment later. Times of the API have full seconds. */
const admissionMs = 3_000

/** Whether pods are looked at for a credential at all. */
export function looksAtPods({ credential, frozen }: Pick<CredentialState, 'credential' | 'frozen'>): boolean {
  return credential.healPods !== 'Off' && !credential.deleting && !frozen
}

/**
 * @returns 'wait': the kubelet's next attempt tells; undefined: it waits for nothing of this credential, or somebody is at it
 */
export function verdictOf(stuck: Case): Verdict | 'wait' | undefined {
  const { pod, serviceAccount, credential } = stuck
  const { secretName } = credential
  const causes = pod.waits.filter(({ image }) => stuck.covers(image)).map(({ cause }) => cause)
  if (causes.length === 0 || pod.deleting || serviceAccount === undefined || serviceAccount.optedOut) return undefined
  const names = pod.pullSecrets.includes(secretName)
  const isFor = selectsServiceAccount(credential, serviceAccount) && serviceAccount.pullSecrets.includes(secretName)
  if (!names && !isFor) return undefined
  if (causes.includes('malformed')) return othersOf(pod, secretName).length > 0 ? 'MalformedSecret' : undefined
  if (!names) return inherits(pod, serviceAccount, secretName) ? 'NotReferenced' : 'OwnList'
  return ofRefusal(stuck, causes.includes('refused'))
}

/** The pull Secrets that the pod names beside this one. */
export function othersOf({ pullSecrets }: ObservedPod, secretName: string): string[] {
  return pullSecrets.filter((name) => name !== secretName)
}

/** Nobody's new pod heals the others. */
export function healsByNewPod(verdict: Verdict): boolean {
  return verdict === 'NotReferenced' || verdict === 'RefusedBefore'
}

function ofRefusal({ pod, issuedAt, heldMs }: Case, refused: boolean): Verdict | 'wait' {
  if (heldMs >= attemptedMs) return 'Refused'
  if (pod.createdAt < issuedAt) return 'RefusedBefore'
  // Where nothing was shown, the Secret came after the last attempt.
  return refused && pod.createdAt > issuedAt + rolloutMs ? 'Refused' : 'wait'
}

/**
 * Whether it has the list of its ServiceAccount, from before our entries were added. One that was made since and lacks them
 * has brought its list along, and so would its successor. One with no list at all has brought none: times tell nothing
 * there, since of a ServiceAccount that nobody has ever applied the API server does not remember when it was written.
 */
function inherits(pod: ObservedPod, serviceAccount: ObservedServiceAccount, secretName: string): boolean {
  if (pod.pullSecrets.length === 0) return true
  if (pod.createdAt > serviceAccount.listedAt + admissionMs) return false
  const ours = new Set([...serviceAccount.managed, secretName])
  const others = (names: readonly string[]) => names.filter((name) => !ours.has(name))
  const [has, given] = [others(pod.pullSecrets), others(serviceAccount.pullSecrets)]
  return has.length === given.length && has.every((name, index) => name === given[index])
}
