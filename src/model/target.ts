/** One target Secret of a namespace on its way from what is to what should be, and what each credential gets to hear of it. */
import { type Contended, contendedProblem } from './contended.ts'
import type { Credential } from './credential.ts'
import { type CredentialState, type DesiredSecret, feeds } from './desired.ts'
import type { Overlap } from './merge.ts'
import type { RecognizedSecret } from './observed.ts'
import { noLinks, noOverlaps, noVersion, type Outcome, type Problem } from './outcome.ts'
import type { SecretChange, Wanted } from './secret-change.ts'
import { type Namespace, selectsNamespace } from './selection.ts'

/** Of each credential whose entries are in a Secret, by its name: the overlaps that it has a part in. */
export type OverlapsByName = ReadonlyMap<string, readonly Overlap[]>

export interface Target {
  desired: DesiredSecret
  /** As it was before anything was written. */
  observed: RecognizedSecret | undefined
  change: SecretChange
  /** Given when it should be there. */
  wanted: (Wanted & { overlaps: OverlapsByName }) | undefined
  /** It may be the source of a credential, and is never touched. */
  mayBeSource: boolean
  /** What is wanted was put into it, whatever others have made of that since. */
  isWritten: boolean
  /** There and ours, so ServiceAccounts may refer to it. */
  available: boolean
  /** Why it was not written, or a reference to it not added. */
  failure: Problem | undefined
  /** Why a reference to it was not taken off; until then it stays. */
  stuck: Problem | undefined
  /** It, or the first ServiceAccount that is to refer to it, is changed back by somebody again and again. */
  contended: Contended | undefined
}

/** ServiceAccounts of the namespace that the credential selects, and how many of them refer to the Secret of this name. */
export type CountLinks = (credential: Credential, secretName: string) => Outcome['serviceAccounts']

const nothingWrong = { failure: undefined, contended: undefined, overlaps: noOverlaps }

/** @returns undefined when nothing of the credential is in the namespace, nor should be */
export function outcomeOf(
  state: CredentialState,
  namespace: Namespace,
  targets: readonly Target[],
  countLinks: CountLinks,
): Outcome | undefined {
  const { credential, version } = state
  const replaced = targets.some((target) => mayHoldOlder(target, credential, namespace)) ? noVersion : version
  const left = leftOf(state, namespace, targets)
  const own = targets.find(({ desired }) => desired.selectedBy.has(state))
  if (own) {
    const { desired, failure, stuck, contended, wanted } = own
    const serviceAccounts = countLinks(credential, desired.name)
    const isIn = own.change !== 'wait' && isMadeOf(wanted, state)
    return {
      version: isIn && serviceAccounts.linked === serviceAccounts.selected ? version : noVersion,
      replaced,
      selected: true,
      failure: failure ?? stuck ?? obstacleOf(own, state) ?? (contended && contendedProblem(contended)) ?? left,
      contended,
      serviceAccounts,
      overlaps: wanted?.overlaps.get(credential.name) ?? noOverlaps,
    }
  }
  const frozen = state.frozen ? targets.find(({ observed }) => feeds(credential, namespace, observed)) : undefined
  if (frozen) {
    const serviceAccounts = countLinks(credential, frozen.desired.name)
    return { ...nothingWrong, version, replaced, selected: true, serviceAccounts }
  }
  if (state.frozen || left === undefined) return undefined
  return { ...nothingWrong, version, replaced, selected: false, failure: left, serviceAccounts: noLinks }
}

/**
 * What others have put in the place of a login of ours is not ours, and does not keep that good at its issuer. One that
 * cannot be created, for it is there, is not to be seen yet, and may be ours: of the leader before, or of a create without
 * an answer.
 */
function mayHoldOlder(
  { observed, change, isWritten, failure, stuck }: Target,
  credential: Credential,
  where: Namespace,
) {
  if (change === 'create' && failure && /^(Conflict|AlreadyExists)$/.test(failure.reason)) return true
  const isGone = (change === 'delete' || change === 'release') && !failure && !stuck
  return feeds(credential, where, observed) && !isWritten && !isGone
}

/** The first problem that keeps something of the credential in a Secret that is not for it, or not any more. */
function leftOf(state: CredentialState, namespace: Namespace, targets: readonly Target[]): Problem | undefined {
  for (const target of targets) {
    const problem = target.desired.selectedBy.has(state) ? undefined : remainder(target, state.credential, namespace)
    if (problem) return problem
  }
  return undefined
}

/** By name: what is wanted may have been made of an earlier record of the same version. */
function isMadeOf(wanted: Target['wanted'], { credential: { name } }: CredentialState): boolean {
  return wanted?.overlaps.has(name) === true
}

/**
 * Why something of a credential that has to go is still there. Only what may be its own: a neighbour's trouble is not, nor
 * what a namespace that it is not for says about itself, nor a Secret that is on its way out.
 */
function remainder(target: Target, credential: Credential, namespace: Namespace): Problem | undefined {
  const { desired, observed, failure, stuck } = target
  if (!observed?.deleting && feeds(credential, namespace, observed)) {
    return failure ?? stuck ?? obstacleOf(target, undefined)
  }
  const mayBeIts = stuck && desired.name === credential.secretName && selectsNamespace(credential, namespace)
  return mayBeIts ? stuck : undefined
}

/** What stands in the way and is for somebody else to mend; the watches tell when they have. */
function obstacleOf(target: Target, state: CredentialState | undefined): Problem | undefined {
  const { desired, observed, change, wanted, mayBeSource } = target
  const secret = `Secret ${desired.name}`
  if (change === 'not-owned' && mayBeSource) {
    const message = `${secret} is in the operator's own namespace, where it may be the source of a credential, and is never written; exclude this namespace from the selection.`
    return { reason: 'SourceSecret', message }
  }
  if (change === 'not-owned') {
    const cure = 'delete it, or, if it is of type kubernetes.io/dockerconfigjson, annotate it regcred.dev/adopt=true'
    return { reason: 'NotOwned', message: `${secret} is not managed by this operator and is left alone; ${cure}.` }
  }
  if (change === 'wait' && observed) {
    const message = `${secret} is being deleted and kept by finalizers (${observed.finalizers.join(', ')}); it is made anew when they are gone.`
    return { reason: 'SecretTerminating', message }
  }
  if (desired.state === 'held' && desired.waitsFor.length > 0 && (state === undefined || state.entries !== undefined)) {
    const sources = desired.waitsFor.join(', ')
    return {
      reason: 'WaitingForSource',
      message: `${secret} stays as it is, since the source of ${sources} cannot be read.`,
    }
  }
  if (wanted && state?.entries && !isMadeOf(wanted, state)) {
    const message = `${secret} would be larger than 1 MiB with the entries of this credential, which comes after the others in it (by priority, then by name), and so they are left out; give it another spec.secretName or fewer spec.registries.`
    return { reason: 'TooLarge', message }
  }
  return undefined
}
