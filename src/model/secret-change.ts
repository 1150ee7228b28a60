/** Desired − observed for one Secret: the one write, if any, that makes it right. */
import { credentialKind, group, groupVersion } from '../api/names.ts'
import type { OwnerReference } from '../api/object-meta.ts'
import type { CredentialState, DesiredSecret } from './desired.ts'
import type { ObservedSecret } from './observed.ts'

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

/** @param hash what the hash annotation should be; used only when the Secret should be present */
export function secretChange(desired: DesiredSecret, observed: ObservedSecret | undefined, hash: string): SecretChange {
  if (desired.state === 'held') return 'none'
  if (observed === undefined) return desired.state === 'present' ? 'create' : 'none'
  if (observed.deleting) return desired.state === 'present' ? 'wait' : 'none'
  const ours = isOurs(observed)
  switch (desired.state) {
    case 'absent':
      return ours ? 'delete' : 'none'
    case 'released':
      return ours ? 'release' : 'none'
    case 'present':
      if (!ours) return observed.adoptable ? 'take' : 'not-owned'
      if (!observed.dataIsOurs) return 'take'
      return observed.labelled && observed.hash === hash && hasOwners(observed, desired.contributors)
        ? 'none'
        : 'update'
  }
}

/** Any one of our marks tells, so that a Secret whose label was stripped is still known and repaired. */
export function isOurs(secret: ObservedSecret): boolean {
  return secret.labelled || secret.hash !== undefined || secret.owners.some(isCredential)
}

/** A Secret that a credential is read from is never ours, whatever marks it carries: it must not be written or deleted. */
export function asSource(secret: ObservedSecret): ObservedSecret {
  return { ...secret, labelled: false, hash: undefined, adoptable: false, owners: foreignOwners(secret) }
}

/** The ownerReferences a Secret should have: those that others set, and one for every contributor. */
export function ownersOf(
  contributors: readonly CredentialState[],
  observed: ObservedSecret | undefined,
): readonly OwnerReference[] {
  const ours = contributors.map(({ credential: { name, uid } }) => ({
    apiVersion: groupVersion,
    kind: credentialKind,
    name,
    uid,
  }))
  return [...foreignOwners(observed), ...ours]
}

export function foreignOwners(observed: ObservedSecret | undefined): readonly OwnerReference[] {
  return observed?.owners.filter((owner) => !isCredential(owner)) ?? []
}

function hasOwners(secret: ObservedSecret, contributors: readonly CredentialState[]): boolean {
  const owners = secret.owners.filter(isCredential)
  const uids = new Set(owners.map(({ uid }) => uid))
  return owners.length === contributors.length && contributors.every(({ credential }) => uids.has(credential.uid))
}

function isCredential(owner: OwnerReference): boolean {
  return owner.kind === credentialKind && owner.apiVersion.startsWith(`${group}/`)
}
