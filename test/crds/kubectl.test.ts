/** What users see of a RegistryCredential in kubectl, and that objects of an older schema stay writable. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { verdictOf } from '../model/kstatus.ts'
import { type Api, mergePatch, openApi } from '../support/api.ts'
import { applyCrd, copyOfCrd, type Schema } from './copy.ts'

const cluster = sharedCluster()
const crd = copyOfCrd('kubectl.example.com')
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema ?? {}
const path = `/apis/${crd.spec.group}/v1/copies`
let api: Api

beforeAll(async () => {
  api = openApi(cluster.adminKubeconfig)
  await applyCrd(cluster, crd)
})

afterAll(async () => {
  await cluster.kubectl('delete', 'crd', crd.metadata.name, '--wait=false')
})

const spec = { source: { secretRef: { name: 'dockerhub' } } }

function credential(name: string, fields: object): object {
  return { apiVersion: `${crd.spec.group}/v1`, kind: 'Copy', metadata: { name }, ...fields }
}

/** Creates it as soon as the API server serves the kind. */
async function create(object: object): Promise<void> {
  await eventually(async () => expect((await api('POST', path, object)).status).toBe(201))
}

test('kubectl get shows readiness, Secret, progress and expiry, and verdict, stuck pods and reason with -o wide', async () => {
  await create(credential('columns', { spec }))
  const ready = { type: 'Ready', status: 'False', reason: 'NamespacesFailed', message: '2 namespaces failed.' }
  const verified = { type: 'Verified', status: 'Unknown', reason: 'RateLimited', message: 'Asked too often.' }
  const status = {
    conditions: [ready, verified].map((each) => ({ ...each, lastTransitionTime: '2026-01-01T00:00:00Z' })),
    namespaces: { selected: 100, synced: 98, failed: 2, summary: '98/100' },
    pods: { stuck: 3 },
    credential: { registries: ['ghcr.io'], expiresAt: '2030-01-02T03:04:05Z' },
  }
  expect((await api('PATCH', `${path}/columns/status`, { status }, mergePatch)).status).toBe(200)

  const table = await cluster.kubectl('get', crd.metadata.name, 'columns')
  expect(columns(table)).toEqual([
    ['NAME', 'READY', 'SECRET', 'NAMESPACES', 'EXPIRES', 'AGE'],
    ['columns', 'False', 'regcred', '98/100', '2030-01-02T03:04:05Z', expect.stringMatching(/^\d+s$/)],
  ])
  const [header, row] = columns(await cluster.kubectl('get', crd.metadata.name, 'columns', '-o', 'wide'))
  expect(header?.slice(5)).toEqual(['VERIFIED', 'STUCK', 'REASON', 'MESSAGE', 'AGE'])
  expect(row?.slice(5, 9)).toEqual(['Unknown', '3', 'NamespacesFailed', '2 namespaces failed.'])
})

test('kubectl get leaves empty what the operator has yet to find out', async () => {
  await create(credential('untouched', { spec }))
  const table = await cluster.kubectl('get', crd.metadata.name, 'untouched', '-o', 'wide')
  expect(columns(table)).toEqual([
    ['NAME', 'READY', 'SECRET', 'NAMESPACES', 'EXPIRES', 'VERIFIED', 'STUCK', 'REASON', 'MESSAGE', 'AGE'],
    ['untouched', 'regcred', expect.stringMatching(/^\d+s$/)],
  ])
})

test.each([
  ['a POST', (object: object) => create(object)],
  ['kubectl apply --server-side', (object: object) => cluster.apply(JSON.stringify(object))],
  ['kubectl apply', applyClientSide],
])('kstatus says InProgress until the operator has looked at it, for one that comes by %s', async (how, make) => {
  const name = how.replaceAll(/\W+/g, '-').toLowerCase()
  await make(credential(name, { spec }))
  const { metadata, status } = (await api('GET', `${path}/${name}`)).body as unknown as RegistryCredential
  expect([metadata.generation, status]).toEqual([1, { observedGeneration: -1 }])
  expect(verdictOf({ generation: 1, deleting: false, status: status ?? {} })).toBe('InProgress')
})

async function applyClientSide(object: object): Promise<void> {
  const file = join(cluster.dir, 'applied.json')
  await writeFile(file, JSON.stringify(object))
  await cluster.kubectl('apply', '-f', file)
}

/** Columns are at least three spaces apart. */
function columns(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {3,}/))
}

test('kubectl explain describes the kind, the spec and the status', async () => {
  const explain = (field: string) =>
    eventually(() => cluster.kubectl('explain', '--api-version=regcred.dev/v1', `registrycredentials${field}`))
  expect(await explain('')).toContain('puts a registry login into the namespaces that need it')
  expect(await explain('.spec.registries')).toContain('123456789012.dkr.ecr.*.amazonaws.com')
  expect(await explain('.status.credential.expiresAt')).toContain('When the registry stops taking it')
})

test('every field has a description', () => {
  const without = fieldsOf(schema, '').filter(([, { description }]) => (description ?? '').length < 10)
  expect(without.map(([field]) => field)).toEqual(['.metadata']) // Kubernetes describes that one
  expect(fieldsOf(schema, '').length).toBeGreaterThan(40)
})

function fieldsOf({ properties = {}, items }: Schema, path: string): [string, Schema][] {
  const own = Object.entries(properties).flatMap(([name, field]): [string, Schema][] => [
    [`${path}.${name}`, field],
    ...fieldsOf(field, `${path}.${name}`),
  ])
  return items ? [...own, ...fieldsOf(items, `${path}[]`)] : own
}

test('an object stored under a looser schema can still get a status, a finalizer and other fields', async () => {
  const name = 'old'
  const lax = copyOfCrd('stored.example.com')
  const laxPath = `/apis/${lax.spec.group}/v1/copies`
  lax.spec.versions[0] = { ...lax.spec.versions[0], schema: { openAPIV3Schema: withoutRules(schema) } }
  const old = { ...credential(name, {}), apiVersion: `${lax.spec.group}/v1` }
  try {
    await applyCrd(cluster, lax)
    const wrong = { ...spec, registries: ['GHCR.io'], secretName: 'Reg_Cred' }
    await eventually(async () => expect((await api('POST', laxPath, { ...old, spec: wrong })).status).toBe(201))

    await applyCrd(cluster, copyOfCrd(lax.spec.group))
    await eventually(async () => {
      const { status } = await api('POST', `${laxPath}?dryRun=All`, { ...old, metadata: { name: 'new' }, spec: wrong })
      expect(status).toBe(422)
    })
    const patch = (path: string, body: object) => api('PATCH', laxPath + path, body, mergePatch)
    expect((await patch(`/${name}/status`, { status: { observedGeneration: 1 } })).status).toBe(200)
    expect((await patch(`/${name}`, { metadata: { finalizers: ['regcred.dev/references'] } })).status).toBe(200)
    expect((await patch(`/${name}`, { spec: { suspend: true } })).status).toBe(200)
    expect((await patch(`/${name}`, { spec: { secretName: 'Reg_Cred2' } })).status).toBe(422)
    expect((await patch(`/${name}`, { metadata: { finalizers: null } })).status).toBe(200)
  } finally {
    await cluster.kubectl('delete', 'crd', lax.metadata.name, '--wait=false')
  }
})

/** The schema without its CEL rules, as an older version might have had it. */
function withoutRules(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === 'x-kubernetes-validations' ? undefined : value)))
}
