/** The chart, and what helm makes of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { helmWith } from '../parts/helm.ts'

export const root = join(import.meta.dirname, '..', '..')
export const chart = join(root, 'charts', 'regcred-operator')
/** Values by which every template and every branch of it is used. */
export const everything = join(import.meta.dirname, 'everything.yaml')

/** As much of an API object as the tests look at. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  [field: string]: unknown
}

export interface Container {
  image: string
  args: string[]
  volumeMounts?: { name: string; mountPath: string }[]
}

export interface Deployment extends Manifest {
  spec: { replicas: number; template: { metadata: object; spec: { containers: [Container]; volumes?: object[] } } }
}

export interface Rendering {
  /** Default `regcred-operator`. */
  release?: string
  /** Default `regcred-system`. */
  namespace?: string
  /** Further arguments, for instance `-f FILE`. */
  args?: string[]
}

/** `helm template` with these values; the text. */
export async function render(values: object = {}, rendering: Rendering = {}): Promise<string> {
  const { release = 'regcred-operator', namespace = 'regcred-system', args = [] } = rendering
  const folder = mkdtempSync(join(tmpdir(), 'values-'))
  try {
    const file = join(folder, 'values.json')
    writeFileSync(file, JSON.stringify(values))
    return await helmWith()('template', release, chart, '--namespace', namespace, '-f', file, ...args)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The same as objects. */
export async function renderObjects(values?: object, rendering?: Rendering): Promise<Manifest[]> {
  return parseAll(await render(values, rendering))
}

export function parseAll(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).flatMap((document) => document.toJS() ?? [])
}

export function deploymentOf(manifests: Manifest[]): Deployment {
  const found = manifests.find(({ kind }) => kind === 'Deployment')
  if (found === undefined) throw new Error('no Deployment')
  return found as Deployment
}
