/**
 * Turns whatever code hands to the logger into plain JSON data. `JSON.stringify` alone makes `{}` of an Error, throws on
 * cycles and bigints, and prints every byte of a Buffer, which no redaction could recognise.
 * Of an error only name, message, code, reason, cause and errors are kept: clients hang whole answers, headers and
 * bodies included, on the errors they throw.
 */
import { types } from 'node:util'

/** What JSON can say. */
export type Plain = string | number | boolean | null | Plain[] | PlainObject
export interface PlainObject {
  [key: string]: Plain
}

const MAX_DEPTH = 8

/** Plain data for any value; undefined for what has none (undefined, functions, symbols). Never throws. */
export function toPlain(value: unknown, options: { stack: boolean }): Plain | undefined {
  return visit(value, options.stack, [])
}

/** Plain data for a record of fields; those without a value are left out. */
export function toPlainObject(fields: object, options: { stack: boolean }): PlainObject {
  return visitEntries(fields, options.stack, [])
}

function visit(value: unknown, stack: boolean, ancestors: readonly object[]): Plain | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return String(value)
    case 'object':
      if (value === null) return null
      if (ancestors.includes(value)) return '(circular)'
      if (ancestors.length >= MAX_DEPTH) return '(too deep)'
      try {
        return visitObject(value, stack, [...ancestors, value])
      } catch {
        return '(unreadable)' // a getter, a proxy or a toJSON that throws
      }
    default:
      return undefined
  }
}

function visitObject(value: object, stack: boolean, ancestors: readonly object[]): Plain | undefined {
  if (isError(value)) return visitError(value, stack, ancestors)
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `(${value.byteLength} bytes)`
  if ('toJSON' in value && typeof value.toJSON === 'function') return visit(value.toJSON(), stack, ancestors)
  if (types.isMap(value)) return visitEntries(Object.fromEntries(value), stack, ancestors)
  if (Array.isArray(value) || types.isSet(value)) {
    return Array.from(value, (item: unknown) => visit(item, stack, ancestors) ?? null)
  }
  return visitEntries(value, stack, ancestors)
}

function visitEntries(value: object, stack: boolean, ancestors: readonly object[]): PlainObject {
  const result: PlainObject = {}
  for (const [key, item] of Object.entries(value)) {
    const plain = visit(item, stack, ancestors)
    if (plain !== undefined) result[key] = plain
  }
  return result
}

function visitError(error: Error, stack: boolean, ancestors: readonly object[]): PlainObject {
  const { name, message, cause } = error
  const code = 'code' in error ? error.code : undefined
  const reason = 'reason' in error ? error.reason : undefined
  const errors = 'errors' in error && Array.isArray(error.errors) ? error.errors : undefined
  return visitEntries(
    {
      name,
      message,
      code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
      reason: typeof reason === 'string' ? reason : undefined,
      cause,
      errors,
      stack: stack ? framesOf(error) : undefined,
    },
    stack,
    ancestors,
  )
}

/** The frames of the stack, without the message that V8 repeats above them. */
function framesOf({ stack, message }: Error): string[] | undefined {
  if (typeof stack !== 'string') return undefined
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : stack
  return frames
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
}

/** True for errors of every realm, and for classes such as DOMException that merely inherit from Error. */
function isError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof Error
}
