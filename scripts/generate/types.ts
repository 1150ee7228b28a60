/** src/api/registry-credential.ts: the types of the API, from the CRD. */
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { crdFile, isSchema, readCrd } from './crd.ts'
import type { Generated } from './generated.ts'

const banner = `/**
 * Generated from ${crdFile} by \`npm run generate\`; do not edit.
 * Fields of the spec with a default are not optional here: the API server fills them in, also in objects stored before.
 */
import type { ObjectMeta } from './object-meta.ts'
`

/** Parts of the schema that get a name of their own, so that other modules can import them. */
const titles: Record<string, string> = {
  spec: 'RegistryCredentialSpec',
  'spec.source': 'RegistryCredentialSource',
  'spec.namespaces': 'NamespaceSelection',
  status: 'RegistryCredentialStatus',
  'status.conditions[]': 'Condition',
  'status.failures[]': 'Failure',
}

export async function types(): Promise<Generated[]> {
  const { kind, schema } = await readCrd()
  const closed = close(schema, '')
  const properties = {
    ...closed.properties,
    metadata: { tsType: 'ObjectMeta' },
  }
  const text = await compile({ ...closed, properties, required: ['metadata', 'spec'] }, kind, {
    bannerComment: banner,
    additionalProperties: false,
    style: { semi: false, singleQuote: true, bracketSpacing: true, printWidth: 120 },
  })
  return [{ file: 'src/api/registry-credential.ts', from: crdFile, text }]
}

/** The schema as JSON Schema that gives plain interfaces: closed objects, no tuples, nothing of Kubernetes' own. */
function close(schema: JSONSchema, path: string): JSONSchema {
  const properties = Object.entries(schema.properties ?? {})
  const defaulted = properties.filter(([, property]) => property.default !== undefined).map(([name]) => name)
  const title = titles[path]
  return {
    ...(schema.type && { type: schema.type }),
    ...(schema.enum && { enum: schema.enum }),
    ...(title && { title }),
    ...(schema.description && { description: schema.description }),
    ...(properties.length > 0 && {
      properties: Object.fromEntries(
        properties.map(([name, property]) => [name, close(property, path === '' ? name : `${path}.${name}`)]),
      ),
      required: [...(Array.isArray(schema.required) ? schema.required : []), ...defaulted],
    }),
    ...(isSchema(schema.items) && { items: close(schema.items, `${path}[]`) }),
    ...(isSchema(schema.additionalProperties) && { additionalProperties: close(schema.additionalProperties, path) }),
  }
}
