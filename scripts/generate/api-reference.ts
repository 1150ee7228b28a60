/** docs/reference/api.md: every field of the API, from the CRD. */
import type { JSONSchema } from 'json-schema-to-typescript'
import { crdFile, readCrd } from './crd.ts'
import type { Generated } from './generated.ts'
import { cell, code, row } from './markdown.ts'
import { inWords, isRequired, messagesOf, typeOf } from './schema-words.ts'

/** An object at most so deep has a section of its own, such as spec.source.ecr; what is deeper is rows of that section. */
const DEPTH = 3

/** A field, and what is said of it. */
interface Field {
  /** From the root, such as spec.source.ecr.roles[].arn. */
  path: string
  schema: JSONSchema
  required: boolean
}

export async function apiReference(): Promise<Generated[]> {
  const { kind, schema } = await readCrd()
  const { metadata: _, ...properties } = schema.properties ?? {}
  const sections = ['spec', 'status'].flatMap((name) => sectionsOf(name, properties[name] ?? {}))
  const text = `<!-- Generated from ${crdFile} by \`npm run generate\`; do not edit. -->

# API: ${kind}

\`regcred.dev/v1\`, cluster-scoped, short name \`rcred\`.

${cell(schema.description ?? '')}

\`kubectl explain rcred.spec --recursive\` shows the same fields. Each section ends with what the API server says to what it
refuses; what is not a field at all is refused as well where kubectl validates strictly, as it does by default.
${list(messagesOf(schema))}
${sections.join('\n')}`
  return [{ file: 'docs/reference/api.md', from: crdFile, text }]
}

/** The section of an object, and those of the objects in it. */
function sectionsOf(path: string, schema: JSONSchema): string[] {
  const fields = fieldsOf(path, schema)
  const rows = fields.map((field) => rowOf(field, path))
  const table = [row('field', 'type', 'default', 'rule', 'meaning'), row('---', '---', '---', '---', '---'), ...rows]
  const messages = [
    ...messagesOf(schema),
    ...fields.flatMap((field) => (hasSection(field) ? [] : messagesIn(field.schema))),
  ]
  const section = `## ${path}\n\n${cell(schema.description ?? '')}\n\n${table.join('\n')}\n${list([...new Set(messages)])}`
  return [section, ...fields.filter(hasSection).flatMap((field) => sectionsOf(field.path, field.schema))]
}

/** The fields of an object, with those of objects that have no section of their own. */
function fieldsOf(path: string, schema: JSONSchema): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = { path: `${path}.${name}`, schema: property, required: isRequired(schema, name) }
    if (hasSection(field)) return [field]
    const items = property.items as JSONSchema | undefined
    return [field, ...fieldsOf(field.path, property), ...(items ? fieldsOf(`${field.path}[]`, items) : [])]
  })
}

function hasSection({ path, schema }: Field): boolean {
  return schema.properties !== undefined && path.split('.').length <= DEPTH
}

function rowOf(field: Field, section: string): string {
  const { path, schema, required } = field
  const name = code(path.slice(section.length + 1))
  return row(
    hasSection(field) ? `[${name}](#${path.toLowerCase().replaceAll('.', '')})` : name,
    typeOf(schema),
    schema.default === undefined ? '' : code(JSON.stringify(schema.default)),
    [...(required ? ['required'] : []), ...inWords(schema)].join('; '),
    cell(schema.description ?? ''),
  )
}

/** The messages of a field and of its items; those of its own fields are with their rows. */
function messagesIn(schema: JSONSchema): string[] {
  const items = schema.items as JSONSchema | undefined
  return [...messagesOf(schema), ...(items ? messagesOf(items) : [])]
}

function list(messages: readonly string[]): string {
  return messages.length === 0 ? '' : `\n${messages.map((message) => `- ${cell(message)}\n`).join('')}`
}
