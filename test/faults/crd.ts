/** The CRD as older and newer versions of the operator bring it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Cluster } from '../cluster/access.ts'
import { established } from '../cluster/established.ts'

interface Schema {
  properties: Record<string, Schema>
  'x-kubernetes-validations'?: unknown
  [keyword: string]: unknown
}

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: Schema }; additionalPrinterColumns: unknown[] }[] }
}

const name = 'registrycredentials.regcred.dev'
const file = join(import.meta.dirname, '..', '..', 'crds', 'registrycredentials.yaml')

/** Without what has come since the first version: other sources than Secrets, the clock, the pods. */
export async function applyOlderCrd(cluster: Cluster): Promise<void> {
  await applyChanged(cluster, (spec, status) => {
    const { source } = spec.properties
    for (const field of ['pods', 'healPods', 'refreshInterval']) delete spec.properties[field]
    if (source) source.properties = { secretRef: source.properties.secretRef as Schema }
    delete source?.['x-kubernetes-validations']
    delete spec['x-kubernetes-validations']
    delete status.properties.pods
    delete status.properties.credential
  })
}

/** With fields that this version does not know, and a source that it does not know. */
export async function applyNewerCrd(cluster: Cluster): Promise<void> {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as unknown as Schema
  await applyChanged(cluster, (spec, status) => {
    const { source } = spec.properties
    spec.properties.future = anything
    status.properties.future = anything
    if (source) source.properties.future = anything
    delete source?.['x-kubernetes-validations']
    delete spec['x-kubernetes-validations']
  })
}

export async function applyCrd(cluster: Cluster): Promise<void> {
  await applyChanged(cluster, () => {})
}

/** Returns when it is gone, with all credentials; the operator has to take its finalizer off them. */
export async function deleteCrd(cluster: Cluster): Promise<void> {
  await cluster.kubectl('delete', 'customresourcedefinition', name, '--timeout=300s')
}

async function applyChanged(cluster: Cluster, change: (spec: Schema, status: Schema) => void): Promise<void> {
  const crd = parse(readFileSync(file, 'utf8')) as Crd
  for (const each of crd.spec.versions) {
    const { spec, status } = each.schema.openAPIV3Schema.properties
    if (spec && status) change(spec, status)
    each.additionalPrinterColumns = []
  }
  await cluster.apply(JSON.stringify(crd))
  await established(cluster, 'customresourcedefinition', name)
}
