/** What the operator's ServiceAccount can do and cannot do, with the RBAC of config/ and a token of its own. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { type Answer, type Api, applyPatch, mergePatch, openApi } from '../support/api.ts'

const cluster = sharedCluster()
const namespace = `rbac-${randomBytes(4).toString('hex')}`
const secrets = `/api/v1/namespaces/${namespace}/secrets`
const serviceAccounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
const pods = `/api/v1/namespaces/${namespace}/pods`
const own = '/api/v1/namespaces/regcred-system/secrets'
const credentials = '/apis/regcred.dev/v1/registrycredentials'
const manager = 'fieldManager=regcred-operator&force=true'

let operator: Api
let admin: Api

beforeAll(async () => {
  admin = openApi(cluster.adminKubeconfig)
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

function object(apiVersion: string, kind: string, name: string, fields: object = {}): object {
  return { apiVersion, kind, metadata: { name }, ...fields }
}

const anyPolicy = object('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicy', 'mine')
const admission = '/apis/admissionregistration.k8s.io/v1'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const lease = object('coordination.k8s.io/v1', 'Lease', 'regcred-operator')

type Row = [what: string, method: string, path: string, body?: object, contentType?: string]

/** As an object, since jest takes a parameter that a row does not fill for its `done` callback. */
function request([what, method, path, body, contentType]: Row): { what: string; send: (api: Api) => Promise<Answer> } {
  return { what, send: (api) => api(method, path, body, contentType) }
}

const forbidden: Row[] = [
  ['list all Secrets', 'GET', '/api/v1/secrets'],
  ['list Secrets by label', 'GET', '/api/v1/secrets?labelSelector=app.kubernetes.io/managed-by=regcred-operator'],
  ['list Secrets of another name', 'GET', '/api/v1/secrets?fieldSelector=metadata.name=other'],
  ['list Secrets of all other names', 'GET', '/api/v1/secrets?fieldSelector=metadata.name!=regcred'],
  ['list the Secrets of a namespace', 'GET', secrets],
  ['watch all Secrets', 'GET', '/api/v1/secrets?watch=1&timeoutSeconds=1'],
  [
    'watch a Secret of another name',
    'GET',
    '/api/v1/secrets?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=other',
  ],
  ['read another Secret', 'GET', `${secrets}/other`],
  ['apply another Secret', 'PATCH', `${secrets}/another?${manager}`, secret('another'), applyPatch],
  ['change another Secret', 'PATCH', `${secrets}/other`, { data: null }, mergePatch],
  ['delete another Secret', 'DELETE', `${secrets}/other`],
  ['post a Secret, even of our name', 'POST', secrets, secret('regcred')],
  ['replace a Secret', 'PUT', `${secrets}/regcred`, secret('regcred')],
  ['delete Secrets by selector', 'DELETE', `${secrets}?fieldSelector=metadata.name=regcred`],
  ['change a source Secret', 'PATCH', `${own}/dockerhub`, { data: null }, mergePatch],
  ['post a Secret into its own namespace', 'POST', own, secret('regcred-operator-key')],
  ['delete its key', 'DELETE', `${own}/regcred-operator-key`],
  ['delete what it remembers', 'DELETE', `${own}/regcred-operator-state-0`],
  [
    'keep a Secret of another name',
    'PATCH',
    `${own}/regcred-operator-state-g?${manager}`,
    secret('regcred-operator-state-g'),
    applyPatch,
  ],
  ['create a ServiceAccount', 'POST', serviceAccounts, object('v1', 'ServiceAccount', 'mine')],
  [
    'create a ServiceAccount by apply',
    'PATCH',
    `${serviceAccounts}/mine?${manager}`,
    object('v1', 'ServiceAccount', 'mine'),
    applyPatch,
  ],
  ['delete a ServiceAccount', 'DELETE', `${serviceAccounts}/default`],
  ['replace a ServiceAccount', 'PUT', `${serviceAccounts}/default`, object('v1', 'ServiceAccount', 'default')],
  [
    'get a token of a ServiceAccount',
    'POST',
    `${serviceAccounts}/default/token`,
    object('authentication.k8s.io/v1', 'TokenRequest', 'default', { spec: {} }),
  ],
  [
    'get a token of a ServiceAccount of its own namespace that config/identities does not name',
    'POST',
    '/api/v1/namespaces/regcred-system/serviceaccounts/default/token',
    object('authentication.k8s.io/v1', 'TokenRequest', 'default', { spec: {} }),
  ],
  ['label a namespace', 'PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels: { a: 'b' } } }, mergePatch],
  ['create a namespace', 'POST', '/api/v1/namespaces', object('v1', 'Namespace', 'mine')],
  ['delete a namespace', 'DELETE', `/api/v1/namespaces/${namespace}`],
  ['create a credential', 'POST', credentials, object('regcred.dev/v1', 'RegistryCredential', 'mine')],
  [
    'create a credential by apply',
    'PATCH',
    `${credentials}/mine?${manager}`,
    object('regcred.dev/v1', 'RegistryCredential', 'mine', { spec: { source: { secretRef: { name: 'a' } } } }),
    applyPatch,
  ],
  ['delete a credential', 'DELETE', `${credentials}/mine`],
  ['read admission policies', 'GET', `${admission}/mutatingadmissionpolicies`],
  ['create an admission policy', 'POST', `${admission}/mutatingadmissionpolicies`, anyPolicy],
  [
    'change an admission policy',
    'PATCH',
    `${admission}/mutatingadmissionpolicies/serviceaccounts.regcred.dev`,
    {},
    mergePatch,
  ],
  [
    'create a webhook',
    'POST',
    `${admission}/mutatingwebhookconfigurations`,
    object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mine'),
  ],
  [
    'change the CRD',
    'PATCH',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/registrycredentials.regcred.dev',
    {},
    mergePatch,
  ],
  ['widen its role', 'PATCH', `${rbac}/clusterroles/regcred-operator`, { rules: [] }, mergePatch],
  [
    'bind a role',
    'POST',
    `${rbac}/clusterrolebindings`,
    object(`rbac.authorization.k8s.io/v1`, 'ClusterRoleBinding', 'mine'),
  ],
  ['read a pod', 'GET', `${pods}/web`],
  ['change a pod', 'PATCH', `${pods}/web`, { metadata: { labels: { a: 'b' } } }, mergePatch],
  ['change the status of a pod', 'PATCH', `${pods}/web/status`, { status: {} }, mergePatch],
  ['make a pod', 'POST', pods, object('v1', 'Pod', 'mine')],
  ['delete a pod', 'DELETE', `${pods}/web`],
  ['evict a pod without config/evict-pods', 'POST', `${pods}/web/eviction`, object('policy/v1', 'Eviction', 'web')],
  ['read ConfigMaps of its own namespace', 'GET', '/api/v1/namespaces/regcred-system/configmaps'],
  ['take a lease of another namespace', 'POST', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, lease],
]

test.each(forbidden.map(request))('it cannot $what', async ({ send }) => {
  const { status, body } = await send(operator)
  expect([status, body.reason]).toEqual([403, 'Forbidden'])
})

test('it creates, watches, changes and deletes copies of its Secret in any namespace', async () => {
  const url = `${secrets}/regcred?${manager}`
  expect((await operator('PATCH', url, secret('regcred'), applyPatch)).status).toBe(201)
  const inAll = '/api/v1/secrets?fieldSelector=metadata.name=regcred'
  const { status, body } = await operator('GET', inAll)
  const copies = body.items?.map(({ metadata }) => [metadata?.namespace, metadata?.name])
  expect(status).toBe(200)
  expect(copies).toContainEqual([namespace, 'regcred'])
  expect(new Set(copies?.map(([, name]) => name))).toEqual(new Set(['regcred']))
  const watched = await operator('GET', `${inAll}&watch=1&timeoutSeconds=1`)
  expect([watched.status, watched.body.type]).toEqual([200, 'ADDED'])
  expect((await operator('GET', `${secrets}/regcred`)).status).toBe(403)
  expect((await operator('PATCH', `${secrets}/regcred`, { data: null }, mergePatch)).status).toBe(200)
  expect((await operator('DELETE', `${secrets}/regcred`)).status).toBe(200)
})

const event = object('events.k8s.io/v1', 'Event', 'tested', {
  metadata: { name: 'tested', namespace },
  eventTime: '2026-01-01T00:00:00.000000Z',
  action: 'Testing',
  reason: 'Tested',
  type: 'Normal',
  reportingController: 'regcred.dev/operator',
  reportingInstance: 'tested',
  regarding: { apiVersion: 'v1', kind: 'Namespace', name: namespace, namespace },
})
const dryRun = 'dryRun=All'

const allowed: Row[] = [
  ['list credentials', 'GET', credentials],
  ['watch credentials', 'GET', `${credentials}?watch=1&timeoutSeconds=1`],
  ['list namespaces', 'GET', '/api/v1/namespaces'],
  ['watch namespaces', 'GET', '/api/v1/namespaces?watch=1&timeoutSeconds=1'],
  ['list ServiceAccounts', 'GET', '/api/v1/serviceaccounts'],
  ['watch ServiceAccounts', 'GET', '/api/v1/serviceaccounts?watch=1&timeoutSeconds=1'],
  [
    'change a ServiceAccount',
    'PATCH',
    `${serviceAccounts}/default?${dryRun}`,
    { imagePullSecrets: [{ name: 'regcred' }] },
    mergePatch,
  ],
  ['list pods', 'GET', '/api/v1/pods?fieldSelector=status.phase=Pending'],
  ['watch pods', 'GET', '/api/v1/pods?watch=1&timeoutSeconds=1&fieldSelector=status.phase=Pending'],
  ['read source Secrets', 'GET', own],
  ['watch source Secrets', 'GET', `${own}?watch=1&timeoutSeconds=1`],
  [
    'make its key',
    'PATCH',
    `${own}/regcred-operator-key?${manager}&${dryRun}`,
    secret('regcred-operator-key'),
    applyPatch,
  ],
  [
    'keep the last good entries',
    'PATCH',
    `${own}/regcred-operator-state-f?${manager}&${dryRun}`,
    { ...secret('regcred-operator-state-f'), type: 'regcred.dev/state' },
    applyPatch,
  ],
  [
    'take the lease',
    'POST',
    `/apis/coordination.k8s.io/v1/namespaces/regcred-system/leases?${dryRun}`,
    object('coordination.k8s.io/v1', 'Lease', 'tested'),
  ],
  ['write an Event', 'POST', `/apis/events.k8s.io/v1/namespaces/${namespace}/events?${dryRun}`, event],
]

test.each(allowed.map(request))('it can $what', async ({ send }) => {
  const { status, body } = await send(operator)
  expect([status, body.message]).toEqual([expect.any(Number), undefined])
  expect(status).toBeLessThan(300)
})

describe('with a credential', () => {
  const name = namespace
  const credential = object('regcred.dev/v1', 'RegistryCredential', name, {
    spec: { source: { secretRef: { name: 'missing' } }, suspend: true },
  })

  beforeAll(async () => {
    expect((await admin('POST', credentials, credential)).status).toBe(201)
  })

  afterAll(async () => {
    await cluster.kubectl('patch', 'rcred', name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
    await cluster.kubectl('delete', 'rcred', name, '--wait=false')
  })

  test('it sets the finalizer and the status', async () => {
    const finalizers = { metadata: { finalizers: ['regcred.dev/references'] } }
    expect((await operator('PATCH', `${credentials}/${name}?${dryRun}`, finalizers, mergePatch)).status).toBe(200)
    const status = { status: { observedGeneration: 1 } }
    expect((await operator('PATCH', `${credentials}/${name}/status?${dryRun}`, status, mergePatch)).status).toBe(200)
  })

  test.each([
    ['delete it', 'DELETE', ''],
    ['replace its status', 'PUT', '/status'],
  ])('it cannot %s', async (_, method, path) => {
    expect((await operator(method, `${credentials}/${name}${path}`, credential)).status).toBe(403)
  })
})

test('the rights are no more than the sum of those above', async () => {
  const nobody = openApi(await cluster.kubeconfigFor({ serviceAccount: 'default', namespace }))
  const common = new Set(await rulesOf(nobody)) // what Kubernetes gives to every ServiceAccount
  const rules = (await rulesOf(operator)).filter((rule) => !common.has(rule))
  expect(rules.sort()).toEqual([
    '/namespaces: get,list,watch',
    '/pods: list,watch',
    '/secrets/regcred: create,delete,list,patch,watch',
    '/serviceaccounts: get,list,patch,watch',
    'events.k8s.io/events: create,patch',
    'regcred.dev/registrycredentials/finalizers: update',
    'regcred.dev/registrycredentials/status: patch',
    'regcred.dev/registrycredentials: get,list,patch,watch',
  ])
})

/** One line a resource: group/resource/names: verbs. */
async function rulesOf(api: Api): Promise<string[]> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } }
  const { body } = await api('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', review)
  const { resourceRules } = body.status as { resourceRules: Rule[] }
  return resourceRules.flatMap(({ apiGroups, resources, resourceNames = [], verbs }) =>
    resources.map((resource) => `${[...apiGroups, resource, ...resourceNames].join('/')}: ${verbs.toSorted().join()}`),
  )
}

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}
