/**
 * The smallest JSON merge patch (RFC 7386) that makes one object of another. For writing all of an object whose fields
 * others may have written too: what is to go is named, with null, whoever put it there.
 */

/**
 * Objects are compared field by field, at every depth; arrays are replaced whole, since a merge patch knows no other way.
 * @param before what the API server has
 * @param after what it is to have; plain JSON without null, which a merge patch cannot write
 * @returns applied to `before` it gives `after`; `{}` when they are equal
 */
export function mergePatchOf(before: object, after: object): object {
  return changeOf(before, after) ?? {}
}

/** What stands in the patch for a value; undefined when there is nothing to change. */
function changeOf(before: unknown, after: unknown): unknown {
  if (isList(before) && isList(after)) {
    const same = before.length === after.length && after.every((item, at) => changeOf(before[at], item) === undefined)
    return same ? undefined : after
  }
  if (!isObject(before) || !isObject(after)) return before === after ? undefined : after
  const had = new Map(Object.entries(before))
  const gone = [...had.keys()].filter((name) => !Object.hasOwn(after, name)).map((name) => [name, null])
  const changed = Object.entries(after)
    .map(([name, value]) => [name, changeOf(had.get(name), value)])
    .filter(([, change]) => change !== undefined)
  return gone.length + changed.length > 0 ? Object.fromEntries([...gone, ...changed]) : undefined
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isList(value)
}
