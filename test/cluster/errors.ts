/**
 * Reading caught errors. Without `instanceof`: under jest, errors that come from
 * Node's own modules are of another realm than the `Error` that a test sees.
 */
import { types } from 'node:util'

/** The message of an error, or the text of whatever else was thrown. */
export function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error)
}

/** The message of the innermost cause; of several errors at once, of the first one. */
export function rootCause(error: unknown): string {
  if (!types.isNativeError(error)) return String(error)
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return rootCause(error.errors[0])
  return error.cause === undefined ? error.message : rootCause(error.cause)
}

/** Whether an error has this property with this value, for instance `code` and `ENOENT`. */
export function hasProperty(error: unknown, name: string, value: unknown): boolean {
  return types.isNativeError(error) && Object.entries(error).some(([key, found]) => key === name && found === value)
}
