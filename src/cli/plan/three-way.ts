/**
 * What `kubectl apply` without `--server-side` sends: fields of the file are set, those that stood in the file before and do
 * not any more are removed, and all others stay. Of custom resources, whose lists are replaced whole (jsonmergepatch).
 */

type Json = Record<string, unknown>

/**
 * @param last the file as it was applied last (annotation `kubectl.kubernetes.io/last-applied-configuration`)
 * @param file as it is now
 * @returns a JSON merge patch (RFC 7386) for what the API server has
 */
export function threeWayPatch(last: unknown, file: Json): Json {
  const gone = isObject(last) ? Object.keys(last).filter((field) => !Object.hasOwn(file, field)) : []
  const kept = Object.entries(file).map(([field, value]) => {
    const before = isObject(last) ? last[field] : undefined
    return [field, isObject(value) ? threeWayPatch(before, value) : value]
  })
  return Object.fromEntries([...gone.map((field) => [field, null]), ...kept])
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
