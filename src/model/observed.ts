/** What the namespace loop knows of the objects in a namespace: plain facts, taken from metadata-only watches. */
import type { OwnerReference } from '../api/object-meta.ts'

export interface ObservedSecret {
  namespace: string
  name: string
  uid: string
  resourceVersion: string
  /** Being deleted; it still holds its name. */
  deleting: boolean
  /** Who keeps it while it is being deleted. */
  finalizers: readonly string[]
  /** Carries our `app.kubernetes.io/managed-by` label. */
  labelled: boolean
  /** Our mark as it stands there: anybody can have written it. */
  mark: string | undefined
  /** Its owner asks us to take it over (`regcred.dev/adopt: "true"`). */
  adoptable: boolean
  /** Uids of the credentials that own it, as they stand there: anybody can have written them. */
  owners: readonly string[]
  /** Its other owners, whole: they are written back. */
  foreignOwners: readonly OwnerReference[]
  /** managedFields say that we wrote `.dockerconfigjson` last. */
  dataIsOurs: boolean
  /** Who else did, where they name somebody; anybody's text, made plain. */
  dataManager: string | undefined
}

/** A Secret with what can be told from its marks. */
export interface RecognizedSecret extends ObservedSecret {
  /** We wrote it: it may be overwritten and deleted. */
  ours: boolean
  /** Uids of the credentials that it was made of. */
  madeOf: ReadonlySet<string>
  /** The mark was signed with the operator's key, for this very Secret; otherwise `madeOf` is what somebody claims. */
  proven: boolean
}

/** Entries of a list that is handled; there are none longer in use. */
export const maxPullSecrets = 256

export interface ObservedServiceAccount {
  namespace: string
  name: string
  resourceVersion: string
  deleting: boolean
  optedOut: boolean
  /** `imagePullSecrets` in order; an entry without a name is ''. */
  pullSecrets: readonly string[]
  /** When that list was written last; milliseconds since 1970. */
  listedAt: number
  /** The list is longer than that. It is not kept in memory, and the ServiceAccount is left alone. */
  tooMany: boolean
  /** The entries that we added, as our annotation remembers them; a few at most. */
  managed: readonly string[]
  /** Whom else than us managedFields name for the list, where they do; anybody's text, made plain. */
  listManager: string | undefined
}
