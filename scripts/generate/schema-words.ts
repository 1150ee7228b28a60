/** What a schema of a CRD demands, in words. Lengths are in characters, as the API server counts them. */
import type { JSONSchema } from 'json-schema-to-typescript'
import { isSchema } from './crd.ts'
import { code } from './markdown.ts'

/** Markdown: `string`, `list of string`, `"Delete"` or `"Orphan"`. */
export function typeOf(schema: JSONSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => code(JSON.stringify(value))).join(' or ')
  if (isSchema(schema.items)) return `list of ${typeOf(schema.items)}`
  if (isSchema(schema.additionalProperties)) return `map to ${typeOf(schema.additionalProperties)}`
  if (schema.format === 'date-time') return 'time (RFC 3339)'
  return String(schema.type)
}

export function isRequired(schema: JSONSchema, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name)
}

/** Every rule that is no CEL expression, as Markdown. */
export function inWords(schema: JSONSchema): string[] {
  const keys = schema['x-kubernetes-list-map-keys']
  const rules = [
    range(schema.minLength, schema.maxLength, 'characters'),
    range(schema.minItems, schema.maxItems, 'items'),
    range(schema.minProperties, schema.maxProperties, 'entries'),
    range(schema.minimum, schema.maximum, ''),
    schema.pattern === undefined ? undefined : `matches ${code(schema.pattern)}`,
    schema['x-kubernetes-list-type'] === 'set' ? 'each once' : undefined,
    Array.isArray(keys) ? `each ${keys.map(code).join(', ')} once` : undefined,
  ].filter((rule) => rule !== undefined)
  const each = isSchema(schema.items) ? inWords(schema.items) : []
  return each.length === 0 ? rules : [...rules, `each of ${each.join(', ')}`]
}

/** What the API server answers where a CEL rule does not hold. */
export function messagesOf(schema: JSONSchema): string[] {
  const rules: { message: string }[] = schema['x-kubernetes-validations'] ?? []
  return rules.map(({ message }) => message)
}

function range(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  if (least === undefined && most === undefined) return undefined
  if (most === undefined) return `at least ${least} ${unit}`.trim()
  if (least === undefined) return `at most ${most} ${unit}`.trim()
  return `${least} to ${most} ${unit}`.trim()
}
