/**
 * metav1.ObjectMeta as it comes over the wire: the fields the operator needs of what it reads,
 * times as RFC 3339 strings.
 */

export interface ObjectMeta {
  name: string
  /** Absent on cluster-scoped objects. */
  namespace?: string
  uid: string
  /** Changes with every write. Comparable as a number (KEP-5504). */
  resourceVersion: string
  /** Changes with every write to the spec. */
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: { manager?: string; operation?: string; time?: string; fieldsV1?: unknown }[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}
