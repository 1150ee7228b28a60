/** Desired − observed for one Secret: the one write, if any, that makes it right. */
import { credentialKind, groupVersion } from '../api/names.ts'
import type { OwnerReference } from '../api/object-meta.ts'
import type { CredentialState, DesiredSecret } from './desired.ts'
import type { ObservedSecret, RecognizedSecret } from './observed.ts'

export type SecretChange =
  | 'none'
  /** It is not there. */
  | 'create'
  /** It is ours, and something of it is not as it should be. */
  | 'update'
  /** As `update`, and others own its data by now (managedFields), or it has just been given to us: take it by force. */
  | 'take'
  /** It is not ours: it must be left alone. */
  | 'not-owned'
  /** It is on its way out; its name is free when it is gone. */
  | 'wait'
  | 'delete'
  /** Take our marks off. */
  | 'release'

/** What a Secret that should be there is to carry. */
export interface Wanted {
  mark: string
  /** Whose entries are in it. */
  madeOf: readonly CredentialState[]
}

/** @param wanted given when the Secret should be present */
export function secretChange(
  desired: DesiredSecret,
  observed: RecognizedSecret | undefined,
  wanted: Wanted | undefined,
): SecretChange {
  if (desired.state === 'held') return 'none'
  if (observed === undefined) return wanted ? 'create' : 'none'
  if (observed.deleting) return wanted ? 'wait' : 'none'
  if (desired.state === 'absent') return observed.ours ? 'delete' : 'none'
  if (desired.state === 'released') return observed.ours ? 'release' : 'none'
  if (!observed.ours) return observed.adoptable ? 'take' : 'not-owned'
  if (!observed.dataIsOurs) return 'take'
  return wanted && carries(observed, wanted) ? 'none' : 'update'
}

/** Any of our marks, however it came there. */
export function isMarked({ labelled, mark, owners }: ObservedSecret): boolean {
  return labelled || mark !== undefined || owners.length > 0
}

/** A Secret that a credential is read from is never ours, whatever marks it carries: it must not be written or deleted. */
export function asSource(secret: RecognizedSecret): RecognizedSecret {
  return { ...secret, ours: false, madeOf: new Set(), adoptable: false }
}

/**
 * The ownerReferences a Secret should have: those that others set, and one for every credential whose entries are in it.
 * None of ours where one of these asks for `Orphan`: a deletion in the foreground would have the garbage collector take
 * the Secret before the operator can release it.
 */
export function ownersOf(
  madeOf: readonly CredentialState[],
  observed: ObservedSecret | undefined,
): readonly OwnerReference[] {
  const ours = owningOf(madeOf).map(({ credential: { name, uid } }) => ({
    apiVersion: groupVersion,
    kind: credentialKind,
    name,
    uid,
  }))
  return [...(observed?.foreignOwners ?? []), ...ours]
}

/** The credentials that are to own what is made of these. */
export function owningOf(madeOf: readonly CredentialState[]): readonly CredentialState[] {
  return madeOf.some(({ credential }) => credential.deletionPolicy === 'Orphan') ? [] : madeOf
}

function carries(secret: ObservedSecret, { mark, madeOf }: Wanted): boolean {
  const owning = owningOf(madeOf)
  const owners = new Set(secret.owners)
  const sameOwners =
    secret.owners.length === owning.length && owning.every(({ credential }) => owners.has(credential.uid))
  return secret.labelled && secret.mark === mark && sameOwners
}
