/** The CRD as the generators read it. */
import { readFile } from 'node:fs/promises'
import type { JSONSchema } from 'json-schema-to-typescript'
import { parse } from 'yaml'

/** Relative to the working folder, which npm sets to the root of the repository. */
export const crdFile = 'crds/registrycredentials.yaml'

interface CustomResourceDefinition {
  spec: { names: { kind: string }; versions: { storage: boolean; schema: { openAPIV3Schema: JSONSchema } }[] }
}

/** The kind, and the schema of the version that is stored. */
export async function readCrd(): Promise<{ kind: string; schema: JSONSchema }> {
  const { spec }: CustomResourceDefinition = parse(await readFile(crdFile, 'utf8'))
  const schema = spec.versions.find((version) => version.storage)?.schema.openAPIV3Schema
  if (schema === undefined) throw new Error(`${crdFile} has no storage version`)
  return { kind: spec.names.kind, schema }
}

export function isSchema(value: unknown): value is JSONSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
