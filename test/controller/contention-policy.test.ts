/**
 * An admission policy that wants another list than the operator and gets it in the operator's own request, which answers
 * 200 all the same: nothing is taken for done, and it is done when the policy lets it.
 */
import { afterAll, beforeAll, expect } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { openApi } from '../support/api.ts'
import { Lab } from './lab.ts'
import { isWrite, requestsSince } from './traffic.ts'

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator
let source: string

const adds = 'policy.example.com/adds'
const strips = 'policy.example.com/strips'

/** As the policy of config/admission would: the entry, and the annotation that says it is the operator's. */
const add = `!has(object.imagePullSecrets) || !object.imagePullSecrets.exists(s, s.name == 'regcred') ? [
  JSONPatch{op: "add", path: "/imagePullSecrets", value:
    (has(object.imagePullSecrets) ? object.imagePullSecrets.map(s, {'name': s.name}) : [])
    + [{'name': 'regcred'}]},
  JSONPatch{op: "add", path: "/metadata/annotations", value: {'regcred.dev/managed': 'regcred'}}
] : []`
const strip = `has(object.imagePullSecrets) ? [JSONPatch{op: "remove", path: "/imagePullSecrets"}] : []`

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  source = await lab.source('policy', { 'ghcr.io': { username: 'robot', password: 'p4ssw0rd-of-policy' } })
  await createPolicy('adds', adds, add)
  await createPolicy('strips', strips, strip)
  operator = await startOperator({ cluster })
})

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
  await cluster.stop()
})

/** Changes ServiceAccounts in namespaces with this label. */
async function createPolicy(name: string, label: string, expression: string): Promise<void> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: `${name}.example.com` }
  await lab.create(`/apis/${apiVersion}/mutatingadmissionpolicies`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata,
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['serviceaccounts'] },
        ],
      },
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    },
  })
  await lab.create(`/apis/${apiVersion}/mutatingadmissionpolicybindings`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata,
    spec: {
      policyName: metadata.name,
      matchResources: { namespaceSelector: { matchLabels: { [label]: 'true' } } },
    },
  })
}

/** Puts the label on the namespace and waits until the policy acts there, by a list that it changes in a dry run. */
async function letPolicyAct(namespace: string, label: string): Promise<void> {
  await lab.label(namespace, { [label]: 'true' })
  const api = openApi(cluster.adminKubeconfig)
  const [given, wanted] = label === adds ? [[], [{ name: 'regcred' }]] : [[{ name: 'other' }], []]
  const probe = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'probe' }, imagePullSecrets: given }
  await eventually(async () => {
    const { body } = await api('POST', `/api/v1/namespaces/${namespace}/serviceaccounts?dryRun=All`, probe)
    expect((body.imagePullSecrets as { name: string }[] | undefined) ?? []).toEqual(wanted)
  })
}

async function overruled(credential: string, namespace: string): Promise<string> {
  return await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.failures).toEqual([expect.objectContaining({ namespace, reason: 'Overruled' })])
    return status?.failures?.[0]?.message ?? ''
  })
}

async function credentialFor(name: string, namespace: string): Promise<string> {
  const spec = { source: { secretRef: { name: source } }, namespaces: { include: [namespace], optIn: true } }
  return await lab.credential(name, spec)
}

async function expectNothingLeft(namespace: string): Promise<void> {
  await eventually(async () => {
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
    expect((await lab.serviceAccount(namespace))?.metadata.annotations?.['regcred.dev/managed']).toBeUndefined()
  })
}

test('a deleted credential waits for a policy that puts its entry back, and leaves no reference without its Secret', async () => {
  const namespace = await lab.namespace('put-back')
  const credential = await credentialFor('put-back', namespace)
  await lab.ready(credential)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await letPolicyAct(namespace, adds)
  const since = new Date()
  await lab.deleteCredential(credential)
  expect(await overruled(credential, namespace)).toMatch(
    /^ServiceAccount default: an admission policy puts regcred back in the same request, although no credential asks/,
  )
  expect(await lab.references(namespace)).toEqual(['regcred'])
  expect(await lab.secret(namespace)).not.toBeNull()
  expect((await lab.readCredential(credential)).metadata.finalizers).toContain('regcred.dev/references')
  const writes = (await requestsSince(cluster, since)).filter(
    (each) => each.namespace === namespace && each.resource === 'serviceaccounts' && isWrite(each),
  )
  expect(new Set(writes.map(({ code }) => code))).toEqual(new Set([200]))
  expect(writes.length).toBeLessThan(50)

  await lab.label(namespace, { [adds]: null })
  await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
  await expectNothingLeft(namespace)
})

test('a namespace that opts out is left when the policy lets it', async () => {
  const namespace = await lab.namespace('opted-out')
  const credential = await credentialFor('opted-out', namespace)
  await lab.ready(credential)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await letPolicyAct(namespace, adds)
  await lab.label(namespace, { 'regcred.dev/opt-out': 'true' })
  await overruled(credential, namespace)
  expect(await lab.references(namespace)).toEqual(['regcred'])
  await lab.label(namespace, { [adds]: null })
  await expectNothingLeft(namespace)
  await lab.ready(credential)
})

test('a namespace that leaves policy and credential by one label change is left', async () => {
  const namespace = await lab.namespace('at-once')
  const credential = await credentialFor('at-once', namespace)
  await lab.ready(credential)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await letPolicyAct(namespace, adds)
  await lab.label(namespace, { 'regcred.dev/opt-out': 'true', [adds]: null })
  await expectNothingLeft(namespace)
  await lab.ready(credential)
})

test('a policy that takes the entry off in the same request is told, and the entry is there when it has gone', async () => {
  const namespace = await lab.namespace('stripped')
  await letPolicyAct(namespace, strips)
  const credential = await credentialFor('stripped', namespace)
  expect(await overruled(credential, namespace)).toContain('takes back in the same request what is written')
  await lab.label(namespace, { [strips]: null })
  await lab.ready(credential)
  expect(await lab.references(namespace)).toEqual(['regcred'])
})
