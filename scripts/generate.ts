/**
 * `npm run generate` makes src/api/registry-credential.ts from crds/registrycredentials.yaml, and what generate/ makes.
 * With --check it writes nothing and exits 1 when a file is not what its sources give.
 * Paths are relative to the working folder, which npm sets to the root of the repository.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { parse } from 'yaml'
import { expected } from './generate/expected.ts'
import type { Generated } from './generate/generated.ts'

const crdFile = 'crds/registrycredentials.yaml'
const typesFile = 'src/api/registry-credential.ts'

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

interface CustomResourceDefinition {
  spec: { names: { kind: string }; versions: { storage: boolean; schema: { openAPIV3Schema: JSONSchema } }[] }
}

/** The source text of the types for a CRD in YAML. */
export async function generateTypes(crd: string): Promise<string> {
  const { spec }: CustomResourceDefinition = parse(crd)
  const schema = spec.versions.find((version) => version.storage)?.schema.openAPIV3Schema
  if (schema === undefined) throw new Error(`${crdFile} has no storage version`)
  const closed = close(schema, '')
  const properties = {
    ...closed.properties,
    metadata: { tsType: 'ObjectMeta' },
  }
  return compile({ ...closed, properties, required: ['metadata', 'spec'] }, spec.names.kind, {
    bannerComment: banner,
    additionalProperties: false,
    style: { semi: false, singleQuote: true, bracketSpacing: true, printWidth: 120 },
  })
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

function isSchema(value: unknown): value is JSONSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function types(): Promise<Generated[]> {
  return [{ file: typesFile, from: crdFile, text: await generateTypes(await readFile(crdFile, 'utf8')) }]
}

if (import.meta.main) {
  for (const generate of [types, expected]) {
    for (const { file, from, text } of await generate()) {
      if (!process.argv.includes('--check')) {
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, text)
      } else if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) {
        console.error(`${file} is not what ${from} gives: run \`npm run generate\` and commit the result.`)
        process.exitCode = 1
      }
    }
  }
}
