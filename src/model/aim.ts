/** What the operator wants of an object, as a word that changes when that does: for the rules of contention.ts. */
import type { CredentialState } from './desired.ts'
import { desiredLink } from './link-change.ts'
import type { ObservedServiceAccount } from './observed.ts'
import { owningOf } from './secret-change.ts'
import type { Status } from './status.ts'
import type { Target } from './target.ts'

/** The same in all namespaces. @param hash of the data */
export function secretAim(hash: string, madeOf: readonly CredentialState[]): string {
  return `${hash}:${madeOf.map(({ credential }) => credential.uid)} ${owningOf(madeOf).length}`
}

/** Of all references together: it is one aim, whichever of them are undone, and whatever else has to be put right. */
export function linksAim(serviceAccount: ObservedServiceAccount, targets: readonly Target[]): string {
  return targets.map(({ desired, available }) => desiredLink(desired, available, serviceAccount)).join()
}

/** What it says; since when depends on what others have made of it. */
export function statusAim(status: Status): string {
  return JSON.stringify(status, (key, value) => (key === 'lastTransitionTime' ? undefined : value))
}
