/**
 * What config/guard leaves of the right to change ServiceAccounts, tried with a token of the operator that may do everything
 * else: it has been made cluster-admin, on a control plane of its own.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { mergePatchOf } from '../../src/model/merge-patch.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { eventually } from '../cluster/wait.ts'
import { type Answer, type Api, type ApiObject, applyPatch, mergePatch, openApi } from '../support/api.ts'

const serviceAccounts = '/api/v1/namespaces/default/serviceaccounts'
const path = `${serviceAccounts}/tested`
const managed = 'regcred.dev/managed'
const dryRun = 'dryRun=All'

interface ServiceAccount extends ApiObject {
  metadata: Record<string, unknown> & {
    name: string
    labels: Record<string, string>
    annotations: Record<string, string>
    finalizers: string[]
    ownerReferences: object[]
  }
  secrets: object[]
  imagePullSecrets: { name?: string }[]
  automountServiceAccountToken: boolean
}

/** With something in every field. `dropped` is a name that the installation allowed once. */
const tested = (owner: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    name: 'tested',
    labels: { team: 'a' },
    annotations: { 'cloud.example.com/role': 'none', [managed]: 'dropped,regcred' },
    finalizers: ['example.com/kept'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner }],
  },
  secrets: [{ name: 'mountable' }],
  automountServiceAccountToken: false,
  imagePullSecrets: [{ name: 'own' }, { name: 'second' }, {}, { name: 'regcred' }, { name: 'dropped' }],
})

let cluster: OwnedCluster
let admin: Api
let operator: Api
/** The uid of the ConfigMap that owns what is tested. */
let owner: string
let live: ServiceAccount

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  const user = 'regcred-system:regcred-operator'
  await cluster.kubectl(
    'create',
    'clusterrolebinding',
    'all',
    '--clusterrole=cluster-admin',
    `--serviceaccount=${user}`,
  )
  admin = openApi(cluster.adminKubeconfig)
  operator = openApi(await cluster.kubeconfigFor({ serviceAccount: 'regcred-operator', namespace: 'regcred-system' }))
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owner' } }
  owner = (await admin('POST', '/api/v1/namespaces/default/configmaps', configMap)).body.metadata?.uid ?? ''
  const label = { metadata: { labels: { guarded: 'not-yet' } } }
  const isGuarded = async () =>
    (await operator('PATCH', `${serviceAccounts}/default?${dryRun}`, label, mergePatch)).status === 403
  await eventually(isGuarded, { describe: 'the guard acts' })
})

afterAll(async () => {
  await cluster.stop()
})

beforeEach(async () => {
  await admin('PATCH', path, { metadata: { finalizers: null } }, mergePatch)
  await admin('DELETE', path)
  expect((await admin('POST', serviceAccounts, tested(owner))).status).toBe(201)
  live = await stored()
})

async function stored(): Promise<ServiceAccount> {
  return (await admin('GET', path)).body as ServiceAccount
}

/** The live object after a change. */
function changed(change: (serviceAccount: ServiceAccount) => void): ServiceAccount {
  const after = structuredClone(live)
  change(after)
  return after
}

type Send = (after: ServiceAccount, query?: string) => Promise<Answer>

/** The ways to write an object; an apply cannot take away what others own. */
const ways: Record<'put' | 'merge patch' | 'JSON patch' | 'apply', Send> = {
  put: (after, query = '') => operator('PUT', `${path}?${query}`, after),
  'merge patch': (after, query = '') => operator('PATCH', `${path}?${query}`, mergePatchOf(live, after), mergePatch),
  'JSON patch': (after, query = '') => {
    const keys = Object.keys({ ...live, ...after }).filter(
      (key) => JSON.stringify(live[key]) !== JSON.stringify(after[key]),
    )
    const operations = keys.map((key) => ({ op: key in after ? 'add' : 'remove', path: `/${key}`, value: after[key] }))
    return operator('PATCH', `${path}?${query}`, operations, 'application/json-patch+json')
  },
  apply: ({ apiVersion, kind, metadata, ...fields }, query = '') => {
    const { managedFields, resourceVersion, ...others } = metadata
    const object = { apiVersion, kind, metadata: others, ...fields }
    return operator('PATCH', `${path}?${query}&fieldManager=regcred-operator&force=true`, object, applyPatch)
  },
}

type Row = [what: string, change: (serviceAccount: ServiceAccount) => void]

const refused: Row[] = [
  [
    'another annotation is added',
    ({ metadata }) => {
      metadata.annotations['cloud.example.com/user'] = 'admin'
    },
  ],
  [
    'another annotation is changed',
    ({ metadata }) => {
      metadata.annotations['cloud.example.com/role'] = 'admin'
    },
  ],
  ['another annotation is taken off', ({ metadata }) => void delete metadata.annotations['cloud.example.com/role']],
  [
    'more annotations are added than it compares',
    ({ metadata }) => {
      for (let count = 0; count < 1_100; count++) metadata.annotations[`a${count}`] = ''
    },
  ],
  ['all annotations are taken off', ({ metadata }) => void delete (metadata as Partial<typeof metadata>).annotations],
  [
    'a label is added',
    ({ metadata }) => {
      metadata.labels.role = 'admin'
    },
  ],
  [
    'a label is changed',
    ({ metadata }) => {
      metadata.labels.team = 'b'
    },
  ],
  ['a label is taken off', ({ metadata }) => void delete metadata.labels.team],
  ['a finalizer is added', ({ metadata }) => void metadata.finalizers.push('example.com/more')],
  ['a finalizer is taken off', ({ metadata }) => void metadata.finalizers.pop()],
  ['an owner is changed', ({ metadata }) => void Object.assign(metadata.ownerReferences[0] ?? {}, { name: 'mine' })],
  ['an owner is taken off', ({ metadata }) => void metadata.ownerReferences.pop()],
  [
    'generateName is set',
    ({ metadata }) => {
      metadata.generateName = 'tested-'
    },
  ],
  ['a mountable Secret is added', ({ secrets }) => void secrets.push({ name: 'more' })],
  ['a mountable Secret is taken off', ({ secrets }) => void secrets.pop()],
  [
    'tokens are mounted',
    (serviceAccount) => {
      serviceAccount.automountServiceAccountToken = true
    },
  ],
  ["somebody's reference is taken off", ({ imagePullSecrets }) => void imagePullSecrets.shift()],
  [
    'all references are taken off',
    (serviceAccount) => {
      serviceAccount.imagePullSecrets = []
    },
  ],
  ['the references of others are put in another order', ({ imagePullSecrets }) => void imagePullSecrets.reverse()],
  ['a reference to any other Secret is added', ({ imagePullSecrets }) => void imagePullSecrets.push({ name: 'any' })],
  [
    'what somebody else listed is noted as ours',
    ({ metadata }) => {
      metadata.annotations[managed] = 'own,regcred'
    },
  ],
  [
    'the note gets a text that is no name',
    ({ metadata }) => {
      metadata.annotations[managed] = 'x'.repeat(5000)
    },
  ],
]

describe.each(Object.keys(ways) as (keyof typeof ways)[])('by %s', (way) => {
  test.each(refused)('it is refused that %s', async (_, change) => {
    const { status, body } = await ways[way](changed(change))
    // An apply that takes nothing away succeeds, and changes the list of field managers alone.
    if (way !== 'apply' || status !== 200) {
      expect([status, body.message]).toEqual([403, expect.stringContaining("'guard-serviceaccounts.regcred.dev'")])
    }
    expect(withoutBookkeeping(await stored())).toEqual(withoutBookkeeping(live))
  })

  test('the operator does what it is there for', async () => {
    const after = changed(({ metadata, imagePullSecrets }) => {
      imagePullSecrets.splice(3, 2) // ours, one of them of a name that is not allowed any more
      delete metadata.annotations[managed]
    })
    const { status, body } = await ways[way](after)
    expect([status, body.message]).toEqual([200, undefined])
    if (way === 'apply') return
    expect(withoutBookkeeping(await stored())).toEqual(withoutBookkeeping(after))
  })
})

function withoutBookkeeping({
  metadata: { managedFields, resourceVersion, ...metadata },
  ...object
}: ServiceAccount): object {
  return { ...object, metadata }
}

test('by apply the operator may add its reference, and nothing of the rest', async () => {
  const bare = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  const apply = (object: object) =>
    operator(
      'PATCH',
      `${serviceAccounts}/default?fieldManager=regcred-operator&force=true&${dryRun}`,
      object,
      applyPatch,
    )
  const annotated = (annotations: object) => ({ ...bare, metadata: { ...bare.metadata, annotations } })
  const own = { ...annotated({ [managed]: 'regcred' }), imagePullSecrets: [{ name: 'regcred' }] }
  expect((await apply(own)).status).toBe(200)
  expect((await apply({ ...own, imagePullSecrets: [{ name: 'any' }] })).status).toBe(403)
  expect((await apply(annotated({ 'cloud.example.com/role': 'admin' }))).status).toBe(403)
  expect((await apply({ ...bare, automountServiceAccountToken: true })).status).toBe(403)
})

test.each<[string, object, object]>([
  ['adds its reference where there is none', {}, { annotations: 'regcred', list: ['regcred'] }],
  ['adds it behind others', { list: ['own', 'own'] }, { annotations: 'regcred', list: ['own', 'own', 'regcred'] }],
  ['takes up one that it lost its note of', { list: ['regcred'] }, { annotations: 'regcred', list: ['regcred'] }],
  ['lets go of one', { annotations: 'regcred', list: ['regcred'] }, { list: ['regcred'] }],
  [
    'keeps a name that is not allowed any more',
    { annotations: 'old', list: ['old'] },
    { annotations: 'old,regcred', list: ['old', 'regcred'] },
  ],
  ['puts a note right', { annotations: ', ,regcred' }, { annotations: 'regcred', list: ['regcred'] }],
  [
    'replaces a note that is too long',
    { annotations: 'x,'.repeat(2100) },
    { annotations: 'regcred', list: ['regcred'] },
  ],
])('the operator %s', async (_, before, after) => {
  expect((await admin('PATCH', path, patchOf(before), mergePatch)).status).toBe(200)
  const { status, body } = await operator('PATCH', path, patchOf(after), mergePatch)
  expect([status, body.message]).toEqual([200, undefined])
})

test.each<[string, object, object]>([
  ['an entry without a name, by a note of no names', { annotations: ',', list: ['', 'own'] }, { list: ['own'] }],
  ['what a note that is too long names', { annotations: `own${',x'.repeat(2100)}`, list: ['own'] }, { list: [] }],
  ['a list of more entries than the operator writes', { list: many(300) }, { list: [...many(300), 'regcred'] }],
])('the operator leaves alone %s', async (_, before, after) => {
  expect((await admin('PATCH', path, patchOf(before), mergePatch)).status).toBe(200)
  expect((await operator('PATCH', path, patchOf(after), mergePatch)).status).toBe(403)
})

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `entry-${index}`)
}

function patchOf({ annotations = null, list = [] }: { annotations?: string | null; list?: string[] }): object {
  return {
    metadata: { annotations: { [managed]: annotations } },
    imagePullSecrets: list.map((name) => (name === '' ? {} : { name })),
  }
}

test('the operator lets go of its reference within seconds on a ServiceAccount with all the annotations that fit', async () => {
  const name = (index: number) => `a${index.toString(36).padStart(3, '0')}`
  const annotations = Object.fromEntries(Array.from({ length: 36 ** 3 }, (_, index) => [name(index), '']))
  const list = { metadata: { annotations: { ...annotations, [managed]: 'regcred' } } }
  expect((await admin('PATCH', path, { ...patchOf({ list: ['own', 'regcred'] }), ...list }, mergePatch)).status).toBe(
    200,
  )
  const start = performance.now()
  const { status, body } = await operator('PATCH', path, patchOf({ list: ['own'] }), mergePatch)
  expect([status, body.message]).toEqual([200, undefined])
  expect(performance.now() - start).toBeLessThan(15_000) // so long the operator waits
  expect((await operator('PATCH', path, patchOf({ list: [] }), mergePatch)).status).toBe(403)
})

const mine = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'mine' } }

const noneOfThem: [what: string, send: () => Promise<Answer>][] = [
  ['posted', () => operator('POST', serviceAccounts, mine)],
  ['applied', () => operator('PATCH', `${serviceAccounts}/mine?fieldManager=mine`, mine, applyPatch)],
  ['deleted', () => operator('DELETE', path)],
  ['deleted with all others', () => operator('DELETE', serviceAccounts)],
  ['deleted by its label', () => operator('DELETE', `${serviceAccounts}?labelSelector=team=a`)],
]

test.each(noneOfThem)('no ServiceAccount is %s', async (_, send) => {
  const { status, body } = await send()
  expect([status, body.message]).toEqual([403, expect.stringContaining('neither create nor delete')])
  expect(await stored()).toEqual(live)
})

test('what the API server lets nobody change stays as it is', async () => {
  const fixed = {
    uid: 'b1b6aa3c-1f0d-4a57-9f2e-1c0f9a6f0b12',
    creationTimestamp: '2020-01-01T00:00:00Z',
    deletionTimestamp: '2020-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 0,
    generation: 7,
    selfLink: '/mine',
    name: 'mine',
    namespace: 'mine',
  }
  for (const [field, value] of Object.entries(fixed)) {
    await operator('PATCH', path, { metadata: { [field]: value } }, mergePatch)
    expect([field, withoutBookkeeping(await stored())]).toEqual([field, withoutBookkeeping(live)])
  }
})

test('a ServiceAccount has no field that the guard does not know', async () => {
  const { body } = await admin('GET', '/openapi/v3/api/v1')
  const { schemas } = body.components as { schemas: Record<string, { properties: object }> }
  const fieldsOf = (schema: string) => Object.keys(schemas[schema]?.properties ?? {}).sort()
  const guarded = ['automountServiceAccountToken', 'imagePullSecrets', 'secrets']
  expect(fieldsOf('io.k8s.api.core.v1.ServiceAccount')).toEqual([...guarded, 'apiVersion', 'kind', 'metadata'].sort())
  expect(fieldsOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')).toEqual(
    [
      ...['annotations', 'finalizers', 'generateName', 'labels', 'ownerReferences'],
      ...[
        'uid',
        'creationTimestamp',
        'deletionTimestamp',
        'deletionGracePeriodSeconds',
        'generation',
        'selfLink',
        'name',
        'namespace',
      ], // the test above
      ...['managedFields', 'resourceVersion'], // every write changes them
    ].sort(),
  )
})

test.each(['serviceaccounts', 'secrets'])(
  'the API server finds nothing wrong with the types of that for %s',
  async (of) => {
    const policy = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/guard-${of}.regcred.dev`
    const status = await eventually(async () => {
      const { typeChecking = null } = ((await admin('GET', policy)).body.status ?? {}) as { typeChecking?: object }
      return typeChecking
    })
    expect(status).toEqual({}) // or it has expressionWarnings
  },
)

test('nobody else is held to it, and the operator of an installation into another namespace is', async () => {
  const label = JSON.stringify({ metadata: { labels: { a: 'b' } } })
  const patch = (user: string) =>
    cluster.kubectl(
      'patch',
      'serviceaccount',
      'tested',
      '--type=merge',
      '-p',
      label,
      '--dry-run=server',
      `--as=${user}`,
      '--as-group=system:masters',
    )
  await patch('system:serviceaccount:regcred-system:regcred-operator-2')
  await patch('system:serviceaccount:kube-system:generic-garbage-collector')
  await expect(patch('system:serviceaccount:elsewhere:regcred-operator')).rejects.toThrow(
    'guard-serviceaccounts.regcred.dev',
  )
})
