/** What the namespace loop knows of the objects in a namespace: plain facts, taken from metadata-only watches. */
import type { OwnerReference } from '../api/object-meta.ts'

export interface ObservedSecret {
  namespace: string
  name: string
  uid: string
  resourceVersion: string
  /** Being deleted; it still holds its name. */
  deleting: boolean
  /** Carries our `app.kubernetes.io/managed-by` label. */
  labelled: boolean
  /** Our hash annotation. */
  hash: string | undefined
  /** Its owner asks us to take it over (`regcred.dev/adopt: "true"`). */
  adoptable: boolean
  owners: readonly OwnerReference[]
  /** managedFields say that we wrote `.dockerconfigjson` last. */
  dataIsOurs: boolean
}

export interface ObservedServiceAccount {
  namespace: string
  name: string
  resourceVersion: string
  deleting: boolean
  optedOut: boolean
  /** `imagePullSecrets` in order; an entry without a name is ''. */
  pullSecrets: readonly string[]
  /** The entries that we added, as our annotation remembers them. */
  managed: readonly string[]
}
