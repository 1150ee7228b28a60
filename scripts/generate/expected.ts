/** What `kubectl regcred doctor` compares a cluster with: fingerprints of the CRD and the admission policies. */
import { readdir, readFile } from 'node:fs/promises'
import { parse, parseAllDocuments } from 'yaml'
import { type PolicySpec, policyFingerprint, schemaFingerprint } from '../../src/cli/doctor/fingerprint.ts'
import type { Generated } from './generated.ts'

const file = 'src/cli/doctor/expected.ts'
const crdFile = 'crds/registrycredentials.yaml'
const folders = ['config/guard', 'config/admission', 'config/policies/trusted-registries']
const from = 'crds/, config/guard, config/admission and config/policies'

interface Policy {
  kind: string
  metadata: { name: string }
  spec: PolicySpec
}

export async function expected(): Promise<Generated[]> {
  const crd: { spec: { versions: { name: string; schema: object }[] } } = parse(await readFile(crdFile, 'utf8'))
  const schemas = crd.spec.versions.map(({ name, schema }) => `  ${name}: '${schemaFingerprint(schema)}',`)
  const policies = (await Promise.all(folders.map(policiesIn)))
    .flat()
    .map(({ metadata, spec }) => `  '${metadata.name}': '${policyFingerprint(spec)}',`)
  const text = `/** Generated from ${from} by \`npm run generate\`; do not edit. */

/** Version of the CRD → fingerprint of its schema. */
export const schemas: Readonly<Record<string, string>> = {
${schemas.join('\n')}
}

/** Name of an admission policy → fingerprint. */
export const policies: Readonly<Record<string, string>> = {
${policies.join('\n')}
}
`
  return [{ file, from, text }]
}

async function policiesIn(folder: string): Promise<Policy[]> {
  const files = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml').sort()
  const texts = await Promise.all(files.map((name) => readFile(`${folder}/${name}`, 'utf8')))
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((document): Policy => document.toJS()))
  return objects.filter(({ kind }) => kind.endsWith('AdmissionPolicy'))
}
