/** What RBAC cannot say of Secrets: with the operator's own token nobody gets the token of a ServiceAccount. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { type Api, applyPatch, mergePatch, openApi } from '../support/api.ts'

const cluster = sharedCluster()
const namespace = `guard-${randomBytes(4).toString('hex')}`
const manager = 'fieldManager=regcred-operator&force=true'
const path = `/api/v1/namespaces/${namespace}/secrets/regcred`
const tokenOf = { 'kubernetes.io/service-account.name': 'default' }
const refused = /may only write Secrets of type kubernetes.io\/dockerconfigjson/

let operator: Api
let admin: Api

beforeAll(async () => {
  admin = openApi(cluster.adminKubeconfig)
  operator = openApi(await cluster.kubeconfigFor({ serviceAccount: 'regcred-operator', namespace: 'regcred-system' }))
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }))
  await eventually(async () => {
    expect((await admin('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status).toBe(200)
  })
  // A policy acts about a second after it was made, and this may be the first test of a run.
  const probe = `${path}?${manager}&dryRun=All`
  await eventually(async () => expect((await operator('PATCH', probe, secret('Opaque'), applyPatch)).status).toBe(403))
})

afterAll(async () => {
  await cluster.kubectl('delete', 'namespace', namespace, '--wait=false')
})

function secret(type: string, annotations = {}): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'regcred', annotations }, type }
}

test('it cannot have a token made for itself by a Secret of that type, though RBAC lets it create and read one of its name', async () => {
  const made = await operator(
    'PATCH',
    `${path}?${manager}`,
    secret('kubernetes.io/service-account-token', tokenOf),
    applyPatch,
  )
  expect(made).toMatchObject({ status: 403, body: { message: expect.stringMatching(refused) } })
})

test.each(['Opaque', 'regcred.dev/state', 'example.com/any'])(
  'nor can it create one of type %s in a namespace of others',
  async (type) => {
    const made = await operator('PATCH', `${path}?${manager}`, secret(type), applyPatch)
    expect(made).toMatchObject({ status: 403, body: { message: expect.stringMatching(refused) } })
  },
)

test('nor can it turn a token that is there into one of another ServiceAccount', async () => {
  expect(
    (
      await admin(
        'POST',
        `/api/v1/namespaces/${namespace}/secrets`,
        secret('kubernetes.io/service-account-token', tokenOf),
      )
    ).status,
  ).toBe(201)
  const annotations = { 'kubernetes.io/service-account.name': 'privileged' }
  const changed = await operator('PATCH', path, { metadata: { annotations } }, mergePatch)
  expect(changed).toMatchObject({ status: 403, body: { message: expect.stringMatching(refused) } })
  expect((await admin('DELETE', path)).status).toBe(200)
})

test.each(['Opaque', 'kubernetes.io/service-account-token'])(
  'it may take its marks off one of type %s, and change nothing else of it',
  async (type) => {
    const marks = { 'regcred.dev/mark': 'forged', ...tokenOf }
    const made = await admin('POST', `/api/v1/namespaces/${namespace}/secrets`, secret(type, marks))
    expect(made.status).toBe(201)
    const patched = async (patch: object) => (await operator('PATCH', path, patch, mergePatch)).status
    expect(await patched({ metadata: { annotations: { 'regcred.dev/mark': null } } })).toBe(200)
    expect(await patched({ data: { more: 'eA==' } })).toBe(403)
    for (const key of ['kubernetes.io/service-account.name', 'kubernetes.io/service-account.uid']) {
      expect(await patched({ metadata: { annotations: { [key]: 'privileged' } } })).toBe(403)
    }
    expect((await admin('DELETE', path)).status).toBe(200)
  },
)

test('it can write what it is for', async () => {
  const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') }
  const copy = { ...secret('kubernetes.io/dockerconfigjson'), data }
  expect((await operator('PATCH', `${path}?${manager}`, copy, applyPatch)).status).toBe(201)
})
