/** What is wrong with one ServiceAccount of a namespace, told by the Secrets that it is to refer to, or is not to any more. */
import type { Contended } from './contended.ts'
import { desiredLink, isPending } from './link-change.ts'
import type { ObservedServiceAccount } from './observed.ts'
import type { Problem } from './outcome.ts'
import type { Target } from './target.ts'

export const tooManyPullSecrets: Problem = {
  reason: 'TooManyPullSecrets',
  message: 'it has more imagePullSecrets than the operator handles (256), and gets no more; take some off.',
}

/** What went wrong counts against the references that were to be changed. */
export function blame(problem: Problem, serviceAccount: ObservedServiceAccount, targets: readonly Target[]): void {
  const about = { ...problem, message: `ServiceAccount ${serviceAccount.name}: ${problem.message}` }
  for (const target of targets) {
    const { desired, available } = target
    const link = desiredLink(desired, available, serviceAccount)
    if (!isPending(link, desired.name, serviceAccount)) continue
    if (link === 'add') target.failure ??= about
    else if (!serviceAccount.tooMany) target.stuck ??= about // nothing is known of what it refers to
  }
}

/**
 * Somebody keeps undoing what is written: no reference is there for good. One that they keep putting back does not keep its
 * Secret, nor the finalizer: whoever may write ServiceAccounts of a namespace could hold up the end of a credential by it.
 */
export function contend(
  contended: Contended,
  serviceAccount: ObservedServiceAccount,
  targets: readonly Target[],
): void {
  for (const target of targets) {
    const { desired, available } = target
    const link = desiredLink(desired, available, serviceAccount)
    if (link !== 'add' && !isPending(link, desired.name, serviceAccount)) continue
    target.contended ??= contended
  }
}
