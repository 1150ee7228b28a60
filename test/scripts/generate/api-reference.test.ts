/** docs/reference/api.md has all of the CRD. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { JSONSchema } from 'json-schema-to-typescript'
import { isSchema, readCrd } from '../../../scripts/generate/crd.ts'
import { cell } from '../../../scripts/generate/markdown.ts'
import { inWords, typeOf } from '../../../scripts/generate/schema-words.ts'

const { schema } = await readCrd()
const page = readFileSync(join('docs', 'reference', 'api.md'), 'utf8')
const { spec, status } = schema.properties ?? {}

/** All schemas in a schema, itself too, with their paths. */
function* within(path: string, part: JSONSchema): Generator<[string, JSONSchema]> {
  yield [path, part]
  for (const [name, property] of Object.entries(part.properties ?? {})) yield* within(`${path}.${name}`, property)
  if (isSchema(part.items)) yield* within(`${path}[]`, part.items)
}

const schemas = [...within('spec', spec ?? {}), ...within('status', status ?? {})]

/** The paths of all rows, of all sections. */
const rows = page.split(/^## /m).flatMap((section) => {
  const name = section.slice(0, section.indexOf('\n'))
  return [...section.matchAll(/^\| \[?`([^`]+)`/gm)].map(([, field]) => `${name}.${field}`)
})

test('every field has one row', () => {
  const fields = schemas.map(([path]) => path).filter((path) => path.includes('.') && !path.endsWith('[]'))
  expect(fields.length).toBeGreaterThan(100)
  expect(rows.toSorted()).toEqual(fields.toSorted())
})

test('every message of a CEL rule is there, and every description', () => {
  const messages = schemas.flatMap(([, each]) => each['x-kubernetes-validations'] ?? []).map(({ message }) => message)
  const descriptions = schemas.filter(([path]) => !path.endsWith('[]')).map(([, { description = '' }]) => description)
  expect(messages.length).toBeGreaterThan(50)
  expect([...messages, ...descriptions].filter((text) => !page.includes(cell(text)))).toEqual([])
})

test.each<[JSONSchema, string, string[]]>([
  [{ type: 'string', minLength: 1 }, 'string', ['at least 1 characters']],
  [{ type: 'string', format: 'date-time' }, 'time (RFC 3339)', []],
  [{ type: 'string', enum: ['A', 'B'] }, '`"A"` or `"B"`', []],
  [{ type: 'string', pattern: 'a|b' }, 'string', ['matches `a\\|b`']],
  [{ type: 'integer', minimum: -1, maximum: 1 }, 'integer', ['-1 to 1']],
  [
    { type: 'array', maxItems: 2, 'x-kubernetes-list-type': 'set', items: { type: 'string', maxLength: 3 } },
    'list of string',
    ['at most 2 items', 'each once', 'each of at most 3 characters'],
  ],
  [
    { type: 'array', 'x-kubernetes-list-map-keys': ['type'], items: { type: 'object' } },
    'list of object',
    ['each `type` once'],
  ],
  [
    { type: 'object', maxProperties: 16, additionalProperties: { type: 'string' } },
    'map to string',
    ['at most 16 entries'],
  ],
])('%j is a %s with the rules %j', (given, type, rules) => {
  expect(typeOf(given)).toBe(type)
  expect(inWords(given)).toEqual(rules)
})
