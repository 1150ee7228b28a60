/** A copy of the CRD under another group: objects that no operator looks at, and a schema that a test may change. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Cluster } from '../cluster/cluster.ts'
import { established } from '../cluster/established.ts'

export interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema
  [keyword: string]: unknown
}

export interface Crd {
  metadata: { name: string }
  spec: {
    group: string
    names: { kind: string; plural: string }
    versions: { schema: { openAPIV3Schema: Schema } }[]
  }
}

const file = join(import.meta.dirname, '..', '..', 'crds', 'registrycredentials.yaml')

/**
 * With names of its own, so that nobody else's `kubectl get registrycredentials` finds it.
 * @param group ends in `.example.com`, so that it is not taken for a group of Kubernetes' own
 */
export function copyOfCrd(group: string): Crd {
  const crd: Crd = parse(readFileSync(file, 'utf8'))
  crd.metadata.name = `copies.${group}`
  crd.spec.group = group
  crd.spec.names = { kind: 'Copy', plural: 'copies' }
  return crd
}

/** Creates it or updates it, and waits until it is served. */
export async function applyCrd(cluster: Cluster, crd: Crd): Promise<void> {
  await cluster.apply(JSON.stringify(crd))
  await established(cluster, `crd/${crd.metadata.name}`)
}
