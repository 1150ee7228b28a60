/** What YAML of a page is checked by: the API server where it is an object, kustomize or the chart's values where it is for these. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect } from '@jest/globals'
import { parse } from 'yaml'
import { sharedCluster } from '../cluster/shared.ts'
import { copyOfCrd } from '../crds/copy.ts'
import { read, root } from './markdown.ts'

const cluster = sharedCluster()

export type Fields = Record<string, unknown>

export interface KubernetesObject extends Fields {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}

/** Groups whose kinds this cluster does not have: their objects are only looked at for a name and a spec. */
export const withoutCrd: Record<string, string> = {
  'cert-manager.io': 'the certificate of /metrics may come from cert-manager, which is not installed here',
}

/** What is no object, by its first field, and why it is only parsed. */
export const partsOfOthers: Record<string, string> = {
  'spec.ignoreDifferences': 'part of an Application; examples/05-gitops/argocd has a whole one',
  healthChecks: 'part of a Kustomization of Flux; examples/05-gitops/flux has a whole one',
  healthCheckExprs: 'part of a Kustomization of Flux; test/gitops/expressions.test.ts evaluates it',
  scrape_configs: 'part of the configuration of Prometheus',
}

const kustomizationFields = ['components', 'images', 'labels', 'namespace', 'patches', 'resources']
const specFields = Object.keys(
  copyOfCrd('snippets.example.com').spec.versions[0]?.schema.openAPIV3Schema?.properties?.spec?.properties ?? {},
)
const valuesFile = 'charts/regcred-operator/values.yaml'
const values: Fields = existsSync(join(root, valuesFile)) ? parse(read(valuesFile)) : {}

export const isObject = (content: Fields): content is KubernetesObject => 'apiVersion' in content && 'kind' in content
const only = (content: Fields, fields: readonly string[]) => Object.keys(content).every((key) => fields.includes(key))

/** The first field, and the first in it where that is `spec`. */
export function firstField(content: Fields): string {
  const [key = ''] = Object.keys(content)
  return key === 'spec' ? `spec.${Object.keys(content.spec as Fields)[0]}` : key
}

/** Rejected, with the words of whoever refuses it, where it cannot be used as it stands. */
export async function check(content: Fields): Promise<void> {
  if (isObject(content)) return checkObject(content)
  if (only(content, kustomizationFields)) return build(content)
  const spec = Object.keys(content).join() === 'spec' ? (content.spec as Fields) : content
  if (only(spec, specFields)) return dryRun(credentialWith(spec))
  if (Object.keys(values).length > 0 && only(content, Object.keys(values))) return checkValues(content, values, '')
  expect(Object.keys(partsOfOthers)).toContain(firstField(content))
}

async function checkObject(object: KubernetesObject): Promise<void> {
  const group = object.apiVersion.split('/')[0] ?? ''
  if (group === 'kustomize.config.k8s.io') {
    const { apiVersion: _, kind: __, ...fields } = object as Fields
    return build(fields)
  }
  if (!(group in withoutCrd)) return dryRun(object)
  expect(object).toMatchObject({ metadata: { name: expect.any(String) }, spec: expect.any(Object) })
}

/** The API server has to take it as it is, unknown fields included; what is for a namespace is tried in one that exists. */
async function dryRun(object: KubernetesObject): Promise<void> {
  const { namespace } = object.metadata
  const metadata = { ...object.metadata, ...(namespace && namespace !== 'regcred-system' && { namespace: 'default' }) }
  await withFolder(async (folder) => {
    const file = join(folder, 'object.json')
    writeFileSync(file, JSON.stringify({ ...object, metadata }))
    await cluster.kubectl(
      'apply',
      '--server-side',
      '--force-conflicts',
      '--dry-run=server',
      '--validate=strict',
      '-f',
      file,
    )
  })
}

/** What the page leaves out, since it is about other fields. */
function credentialWith(spec: Fields): KubernetesObject {
  const metadata = { name: 'snippet' }
  const whole = { source: { secretRef: { name: 'snippet' } }, registries: ['registry.example.com'], ...spec }
  return { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata, spec: whole }
}

/** As part of config/default/kustomization.yaml, or as a kustomization of its own that has that among its resources. */
async function build(fields: Fields): Promise<void> {
  await withFolder(async (folder) => {
    const from = (path: string) =>
      /^[a-z]+:/.test(path) ? path : relative(folder, join(root, 'config', 'default', path))
    const fromRoot = (path: string) => relative(folder, join(root, path))
    const moved = (paths: unknown) =>
      (paths as string[]).map((path) => (path.startsWith('..') ? from(path) : fromRoot(path)))
    const kustomization = {
      ...fields,
      resources: moved(fields.resources ?? ['config/default']),
      ...(fields.components !== undefined && { components: moved(fields.components) }),
    }
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    expect(await cluster.kubectl('kustomize', folder)).toContain('kind: Deployment')
  })
}

/** Values of the chart that it has. */
function checkValues(given: Fields, known: Fields, path: string): void {
  for (const [key, value] of Object.entries(given)) {
    expect(Object.keys(known).map((each) => path + each)).toContain(path + key)
    const below = known[key]
    const deeper = isFields(value) && isFields(below) && Object.keys(below).length > 0
    if (deeper) checkValues(value, below, `${path}${key}.`)
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'snippet-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
