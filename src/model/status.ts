/** `status` of a RegistryCredential, from what the two loops found. Pure: the same findings give the same status. */
import type { RegistryCredential } from '../api/registry-credential.ts'
import { type Condition, conditionsOf, type Finding, shorten } from './conditions.ts'
import { contendedCondition } from './contended.ts'
import type { Credential } from './credential.ts'
import type { Overlap } from './merge.ts'
import type { Problem, Tally } from './outcome.ts'
import type { Verification } from './verification.ts'

export type Status = NonNullable<RegistryCredential['status']>

export interface Findings {
  credential: Credential
  /** What is wrong with the credential itself; `terminal` when only a change by its owner can mend it. */
  problem: (Problem & { terminal: boolean }) | undefined
  /** Why the login could not be renewed, while the one in use is still good. */
  refreshFailure: Problem | undefined
  tally: Tally
  /** Whether a login has ever been had. */
  isKnown: boolean
  /** The source, or what is at it, is another than the login in use was had from. */
  isOutdated: boolean
  /** What the registry said last; undefined: it was not asked. */
  check: Verification | undefined
  /** Pods that cannot pull for want of it; undefined: nobody looks. */
  stuckPods: number | undefined
  /** What is known of the entries in use; undefined while none have been read. */
  material: Material | undefined
}

/** What is known of the entries in use, without the secret of it. */
export type Material = NonNullable<Status['credential']>

/** @param now RFC 3339 */
export function statusOf(findings: Findings, previous: Status | undefined, now: string): Status {
  const { credential, tally, material, stuckPods } = findings
  const before = (previous?.conditions ?? []) as Condition[]
  const { selected, synced, failed, serviceAccounts, failures } = tally
  return {
    observedGeneration: credential.generation,
    conditions: conditionsOf(conditionFindings(findings, previous), before, credential.generation, now),
    namespaces: { selected, synced, failed, summary: `${synced}/${selected}` },
    serviceAccounts,
    ...(stuckPods !== undefined && { pods: { stuck: stuckPods } }),
    ...(failures.length > 0 && { failures: failures.map((each) => ({ ...each, message: shorten(each.message) })) }),
    ...(material && { credential: material }),
  }
}

function conditionFindings(findings: Findings, previous: Status | undefined): Finding[] {
  const progress = progressOf(findings, previous)
  return [
    ...progress,
    ...verified(findings),
    ...refreshFailing(findings),
    ...overlapping(findings.credential.name, findings.tally.overlaps),
    ...contendedCondition(findings.tally.contended),
  ]
}

function verified({ credential, check }: Findings): Finding[] {
  if (check === undefined || credential.deleting) return []
  const status = check.verdict === 'Valid' ? 'True' : check.verdict === 'Unknown' ? 'Unknown' : 'False'
  return [{ type: 'Verified', status, reason: check.reason, message: check.message }]
}

function refreshFailing({ refreshFailure, material }: Findings): Finding[] {
  if (refreshFailure === undefined) return []
  const end = material?.expiresAt ? `ends at ${material.expiresAt}` : 'stays'
  const message = `${refreshFailure.message} The login in use ${end}; renewing it is tried again.`
  return [{ type: 'RefreshFailing', status: 'True', reason: refreshFailure.reason, message }]
}

function progressOf(
  { credential, problem, isKnown, isOutdated, tally }: Findings,
  previous: Status | undefined,
): Finding[] {
  const ready = previous?.conditions?.find(({ type }) => type === 'Ready')
  if (credential.deleting) {
    const message =
      tally.leaving > 0
        ? `Being deleted; still to be taken out of ${count(tally.leaving, 'namespace')}.`
        : 'Being deleted; taken out of all namespaces. What is still to be done is at its issuer, or up to the finalizers of others.'
    return [isReady('False', 'Terminating', message), isReconciling('Terminating', message)]
  }
  if (credential.suspended) {
    const message = 'spec.suspend is true: what is in the namespaces stays as it is.'
    return [isReady((ready?.status as Condition['status']) ?? 'Unknown', 'Suspended', message)]
  }
  if (problem) {
    const { reason, message } = problem
    return [isReady('False', reason, message), (problem.terminal ? isStalled : isReconciling)(reason, message)]
  }
  if (!isKnown) {
    const message = 'The source is being asked for the first login.'
    return [isReady('False', 'Issuing', message), isReconciling('Issuing', message)]
  }
  // A rollout of new credentials does not take back that the old ones were in place.
  const stays = ready?.status === 'True' && previous?.observedGeneration === credential.generation
  // With a namespace that fails Ready does not stay True, and the next look at the same must say the same.
  if (isOutdated && (!stays || tally.failed > 0)) {
    const message = 'The source is being asked for a new login; until then the one in use stays.'
    return [isReady('False', 'Issuing', message), isReconciling('Issuing', message)]
  }
  if (tally.failed > 0) {
    const first = tally.failures[0]
    const message = `${count(tally.failed, 'namespace')} failed of ${tally.selected + tally.leaving}; first ${first?.namespace}: ${first?.message}`
    return [isReady('False', 'NamespacesFailed', message), isReconciling('ProgressingWithRetry', message)]
  }
  if (tally.synced < tally.selected || tally.leaving > 0) {
    const message = `${tally.synced} of ${count(tally.selected, 'namespace')} up to date.`
    return [
      stays ? isReady('True', ready.reason, ready.message) : isReady('False', 'Progressing', message),
      isReconciling('Progressing', message),
    ]
  }
  return [isReady('True', 'Succeeded', succeeded(credential, tally))]
}

function succeeded({ secretName }: Credential, { selected }: Tally): string {
  if (selected === 0) return 'No namespace is selected and none has opted in.'
  return `Secret ${secretName} is up to date in ${count(selected, 'namespace')}.`
}

function overlapping(name: string, overlaps: readonly Overlap[]): Finding[] {
  if (overlaps.length === 0) return []
  const sentences = overlaps.map(({ key, winner, loser }) =>
    winner === name
      ? `${key} is also given by ${loser}, over which this one wins`
      : `${key} is given by ${winner}, which wins`,
  )
  const message = `${sentences.sort().join('; ')} (by priority, then by name).`
  return [{ type: 'Overlapping', status: 'True', reason: 'SameRegistryKey', message }]
}

function isReady(status: Condition['status'], reason: string, message: string): Finding {
  return { type: 'Ready', status, reason, message }
}

function isReconciling(reason: string, message: string): Finding {
  return { type: 'Reconciling', status: 'True', reason, message }
}

function isStalled(reason: string, message: string): Finding {
  return { type: 'Stalled', status: 'True', reason, message }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
