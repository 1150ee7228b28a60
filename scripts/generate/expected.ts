/** What `kubectl regcred doctor` compares a cluster with: fingerprints of the CRD and the admission policies. */
import { readdir, readFile } from 'node:fs/promises'
import { parse, parseAllDocuments } from 'yaml'
import {
  type BindingSpec,
  bindingFingerprint,
  type PolicySpec,
  policyFingerprint,
  schemaFingerprint,
} from '../../src/cli/doctor/fingerprint.ts'
import type { Generated } from './generated.ts'

const file = 'src/cli/doctor/expected.ts'
const crdFile = 'crds/registrycredentials.yaml'
const trusted = 'config/policies/trusted-registries'
const folders = ['config/guard', 'config/admission', trusted]
const from = 'crds/, config/guard, config/admission and config/policies'

interface Manifest<Spec> {
  kind: string
  metadata: { name: string }
  spec: Spec
}

export async function expected(): Promise<Generated[]> {
  const crd: { spec: { versions: { name: string; schema: object }[] } } = parse(await readFile(crdFile, 'utf8'))
  const schemas = crd.spec.versions.map(({ name, schema }) => `  ${name}: '${schemaFingerprint(schema)}',`)
  const policies = (await Promise.all(folders.map((folder) => manifestsIn<PolicySpec>(folder, 'AdmissionPolicy'))))
    .flat()
    .map(({ metadata, spec }) => `  '${metadata.name}': '${policyFingerprint(spec)}',`)
  const bindings = (await manifestsIn<BindingSpec>(trusted, 'PolicyBinding')).map(
    ({ metadata, spec }) => `  '${metadata.name}': '${bindingFingerprint(spec)}',`,
  )
  const text = `/** Generated from ${from} by \`npm run generate\`; do not edit. */

/** Version of the CRD → fingerprint of its schema. */
export const schemas: Readonly<Record<string, string>> = {
${schemas.join('\n')}
}

/** Name of an admission policy → fingerprint. */
export const policies: Readonly<Record<string, string>> = {
${policies.join('\n')}
}

/** Name of a binding of the policy for trusted registries → fingerprint. */
export const trustedBindings: Readonly<Record<string, string>> = {
${bindings.join('\n')}
}
`
  return [{ file, from, text }]
}

/** @param kind how it ends */
async function manifestsIn<Spec>(folder: string, kind: string): Promise<Manifest<Spec>[]> {
  const files = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml').sort()
  const texts = await Promise.all(files.map((name) => readFile(`${folder}/${name}`, 'utf8')))
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((document): Manifest<Spec> => document.toJS()))
  return objects.filter((each) => each.kind.endsWith(kind))
}
