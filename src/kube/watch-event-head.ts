/**
 * Whose event a line of a watch is, from its first bytes: so one that brings no news need not be parsed.
 *
 * The API server writes the fields of built-in types in the order of their Go structs (encoding/json): `type` and `object`
 * of WatchEvent, `kind` and `apiVersion` of TypeMeta, then ObjectMeta, which begins with `name`, `generateName`, `namespace`,
 * `selfLink`, `uid` and `resourceVersion` (k8s.io/apimachinery, pkg/apis/meta/v1/types.go). What is in any other order, such
 * as custom resources (maps, whose keys are sorted), or has an escape in one of these fields, has no head and is parsed.
 */
import type { ObjectMeta } from '../api/object-meta.ts'

export type ObjectHead = Pick<ObjectMeta, 'namespace' | 'name' | 'uid' | 'resourceVersion'>

const value = String.raw`"([^"\\]+)"`
const skipped = String.raw`"[^"\\]+"`
/** From the first byte on, and without a gap: nobody who chooses labels or annotations comes before it. */
const pattern = new RegExp(
  `^{"type":"(?:ADDED|MODIFIED)","object":{"kind":${skipped},"apiVersion":${skipped},"metadata":{"name":${value},` +
    `(?:"generateName":${skipped},)?(?:"namespace":${value},)?"uid":${value},"resourceVersion":${value}`,
)

/** Of an event that an object is there, or has changed; undefined: parse the line. */
export function headOf(line: string): ObjectHead | undefined {
  const [, name, namespace, uid, resourceVersion] = pattern.exec(line) ?? []
  if (name === undefined || uid === undefined || resourceVersion === undefined) return undefined
  return { name, uid, resourceVersion, ...(namespace !== undefined && { namespace }) }
}
