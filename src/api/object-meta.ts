/** metav1.ObjectMeta as it comes over the wire: the fields the operator needs of what it reads. */

export interface ObjectMeta {
  name: string
  /** Absent on cluster-scoped objects. */
  namespace?: string
  uid: string
  /** Changes with every write; a decimal number, comparable (KEP-5504). */
  resourceVersion: string
  /** Changes with every write to the spec. */
  generation?: number
  /** RFC 3339. */
  creationTimestamp?: string
  /** RFC 3339. Present from the first DELETE until the last finalizer is gone. */
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFields[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFields {
  manager?: string
  operation?: 'Apply' | 'Update'
  subresource?: string
  /** RFC 3339. */
  time?: string
  /** A tree of `f:<field>` keys; names only, never values. */
  fieldsV1?: Record<string, unknown>
}
