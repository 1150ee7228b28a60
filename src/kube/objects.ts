/**
 * Kubernetes objects as they travel: plain JSON, timestamps as strings.
 *
 * Only what every kind has in common. The fields of a kind are typed where they are used.
 */

import type { ObjectMeta } from '../api/object-meta.ts'

/** An object as the API server answers it. The items of a list carry neither `apiVersion` nor `kind`. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

export interface KubeList<T extends KubeObject = KubeObject> {
  metadata: {
    /** The version of the whole list; a watch goes on from here. */
    resourceVersion: string
    /** Where the next page begins; absent or empty on the last page. */
    continue?: string
  }
  /** `null` comes from some aggregated API servers. */
  items: T[] | null
}

/** One of several things that are wrong. */
export interface StatusCause {
  /** For instance 'FieldValueForbidden'. */
  reason?: string
  /** For instance 'data' or 'spec.source'. */
  field?: string
}

/** What the API server answers to a failed request, and to most DELETEs that succeed. */
export interface Status {
  kind: 'Status'
  code?: number
  reason?: string
  message?: string
  details?: { uid?: string; retryAfterSeconds?: number; causes?: StatusCause[] }
}

/** `Accept` that makes the API server leave out everything but `metadata`: for one object, also in a watch … */
export const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
/** … and for a list. */
export const metadataOnlyList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
