/** How far the names in the RBAC of config/ reach, in requests that rbac-walk.test.ts does not make: selectors and applies. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { type Answer, type Api, applyPatch, mergePatch, openApi } from '../support/api.ts'

const cluster = sharedCluster()
const namespace = `rbac-${randomBytes(4).toString('hex')}`
const secrets = `/api/v1/namespaces/${namespace}/secrets`
const own = '/api/v1/namespaces/regcred-system/secrets'
const manager = 'fieldManager=regcred-operator&force=true'

let operator: Api

beforeAll(async () => {
  const admin = openApi(cluster.adminKubeconfig)
  operator = openApi(await cluster.kubeconfigFor({ serviceAccount: 'regcred-operator', namespace: 'regcred-system' }))
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }))
  expect((await admin('POST', secrets, secret('other'))).status).toBe(201)
})

afterAll(async () => {
  await cluster.kubectl('delete', 'namespace', namespace, '--wait=false')
})

function secret(name: string): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password: 'example-password' } }
}

type Row = [what: string, method: string, path: string, body?: object, contentType?: string]

/** As an object, since jest takes a parameter that a row does not fill for its `done` callback. */
function request([what, method, path, body, contentType]: Row): { what: string; send: (api: Api) => Promise<Answer> } {
  return { what, send: (api) => api(method, path, body, contentType) }
}

const forbidden: Row[] = [
  ['list Secrets by label', 'GET', '/api/v1/secrets?labelSelector=app.kubernetes.io/managed-by=regcred-operator'],
  ['list Secrets of another name', 'GET', '/api/v1/secrets?fieldSelector=metadata.name=other'],
  ['list Secrets of all other names', 'GET', '/api/v1/secrets?fieldSelector=metadata.name!=regcred'],
  [
    'watch a Secret of another name',
    'GET',
    '/api/v1/secrets?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=other',
  ],
  ['create another Secret by apply', 'PATCH', `${secrets}/another?${manager}`, secret('another'), applyPatch],
  ['read a copy, with its data', 'GET', `${secrets}/regcred`],
  ['post a Secret, even of our name', 'POST', secrets, secret('regcred')],
  ['replace a Secret of our name', 'PUT', `${secrets}/regcred`, secret('regcred')],
  ['delete Secrets by a selector of our name', 'DELETE', `${secrets}?fieldSelector=metadata.name=regcred`],
  ['post its key', 'POST', own, secret('regcred-operator-key')],
  ['delete its key', 'DELETE', `${own}/regcred-operator-key`],
  ['delete what it remembers', 'DELETE', `${own}/regcred-operator-state-0`],
  [
    'keep a Secret of another name',
    'PATCH',
    `${own}/regcred-operator-state-g?${manager}`,
    secret('regcred-operator-state-g'),
    applyPatch,
  ],
  [
    'create a ServiceAccount by apply',
    'PATCH',
    `/api/v1/namespaces/${namespace}/serviceaccounts/mine?${manager}`,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'mine' } },
    applyPatch,
  ],
  [
    'create a credential by apply',
    'PATCH',
    `/apis/regcred.dev/v1/registrycredentials/mine?${manager}`,
    {
      apiVersion: 'regcred.dev/v1',
      kind: 'RegistryCredential',
      metadata: { name: 'mine' },
      spec: { source: { secretRef: { name: 'a' } } },
    },
    applyPatch,
  ],
]

test.each(forbidden.map(request))('it cannot $what', async ({ send }) => {
  const { status, body } = await send(operator)
  expect([status, body.reason]).toEqual([403, 'Forbidden'])
})

test('it creates, watches, changes and deletes copies of its Secret in any namespace', async () => {
  const url = `${secrets}/regcred?${manager}`
  const copy = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': '{"auths":{}}' },
  }
  expect((await operator('PATCH', url, copy, applyPatch)).status).toBe(201)
  const inAll = '/api/v1/secrets?fieldSelector=metadata.name=regcred'
  const { status, body } = await operator('GET', inAll)
  const copies = body.items?.map(({ metadata }) => [metadata?.namespace, metadata?.name])
  expect(status).toBe(200)
  expect(copies).toContainEqual([namespace, 'regcred'])
  expect(new Set(copies?.map(([, name]) => name))).toEqual(new Set(['regcred']))
  const watched = await operator('GET', `${inAll}&watch=1&timeoutSeconds=1`)
  expect([watched.status, watched.body.type]).toEqual([200, 'ADDED'])
  expect((await operator('PATCH', `${secrets}/regcred`, { metadata: { labels: { a: 'b' } } }, mergePatch)).status).toBe(
    200,
  )
  expect((await operator('DELETE', `${secrets}/regcred`)).status).toBe(200)
})
