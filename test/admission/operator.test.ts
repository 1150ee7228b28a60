/** The operator and the policies together: neither undoes the other's work, and what has to go goes. */
import { afterAll, beforeAll, expect } from '@jest/globals'
import { managedAnnotation, optOutKey, useLabel } from '../../src/api/names.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type ServiceAccount, serviceAccountPath } from '../controller/lab.ts'
import { startRival } from '../controller/rival.ts'
import { describe as described, isWrite, requestsSince } from '../controller/traffic.ts'
import { applyPolicies, dryRun } from './policies.ts'

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator
let source: string

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  await applyPolicies(cluster)
  lab = new Lab(cluster)
  source = await lab.source('hub', { 'ghcr.io': { username: 'robot', password: 'example-password' } })
  operator = await startOperator({ cluster })
  await linkByHand()
})

afterAll(async () => {
  await operator?.stop()
  await lab?.client.close()
  await cluster?.stop()
})

/** A ServiceAccount that is older than its credential is linked by the operator. It then asks whether the policies act. */
async function linkByHand(): Promise<void> {
  const namespace = await lab.namespace('old')
  const namespaces = { include: [namespace], optIn: true }
  await lab.ready(await lab.credential('old', { source: { secretRef: { name: source } }, namespaces }))
}

/** Namespaces with a credential of their own, all served. */
async function served(name: string, count: number): Promise<{ credential: string; namespaces: string[] }> {
  const all = Array.from({ length: count }, (_, index) => `${name}-${index}`)
  const namespaces = { include: all.map((each) => lab.unique(each)), optIn: true }
  const credential = await lab.credential(name, { source: { secretRef: { name: source } }, namespaces })
  await Promise.all(all.map((each) => lab.namespace(each)))
  const isServed = async () => {
    expect((await lab.readCredential(credential)).status?.namespaces?.summary).toBe(`${count}/${count}`)
  }
  await eventually(isServed)
  return { credential, namespaces: namespaces.include }
}

/** Neither a reference nor the annotation is left. */
async function clean(namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    const isClean = async () => {
      const serviceAccount = await lab.serviceAccount(namespace)
      expect(serviceAccount?.imagePullSecrets).toBeUndefined()
      expect(serviceAccount?.metadata.annotations?.[managedAnnotation]).toBeUndefined()
      expect(await lab.secret(namespace)).toBeNull()
    }
    await eventually(isClean, { describe: `${namespace} is clean` })
  }
}

/** Writes of ServiceAccounts by the operator. */
async function linksWritten(since: Date): Promise<string[]> {
  const requests = await requestsSince(cluster, since)
  return requests.filter((each) => isWrite(each) && each.resource === 'serviceaccounts').map(described)
}

test('new namespaces are served without one write of a ServiceAccount by the operator', async () => {
  const since = new Date()
  const { credential } = await served('new', 10)
  await lab.ready(credential)
  expect(await linksWritten(since)).toEqual([])
})

test('a rival that applies a list of its own every 200 ms never gets it without our entry, nor the operator to write', async () => {
  const { namespaces } = await served('rival', 1)
  const [namespace = ''] = namespaces
  const since = new Date()
  const rival = startRival(lab, { namespace, list: ['git1', 'git2'], everyMs: 200 })
  await eventually(() => expect(rival.answers.length).toBeGreaterThan(25))
  await rival.stop()
  for (const answer of rival.answers) expect(answer).toEqual(['git1', 'git2', 'regcred'])
  expect(await linksWritten(since)).toEqual([])
})

test('a credential that is deleted leaves nothing behind', async () => {
  const { credential, namespaces } = await served('deleted', 10)
  await lab.deleteCredential(credential)
  await clean(namespaces)
})

test('a credential is deleted beside one of the same Secret whose source is missing, and which keeps the reference', async () => {
  const { credential, namespaces } = await served('beside', 2)
  const other = { source: { secretRef: { name: 'missing' } }, namespaces: { include: namespaces, optIn: true } }
  await lab.condition(await lab.credential('sourceless', other), 'Ready', 'False')
  await lab.deleteCredential(credential)
  await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
  for (const namespace of namespaces) {
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual(['regcred'])
  }
})

test('a credential that no longer selects the namespaces leaves nothing behind', async () => {
  const { credential, namespaces } = await served('narrowed', 10)
  await lab.patchCredential(credential, { namespaces: { include: [] } })
  await clean(namespaces)
})

test('namespaces that opt out lose the reference, also where the policy does not know of it yet', async () => {
  const { credential, namespaces } = await served('opted-out', 30)
  await Promise.all(namespaces.map((each) => lab.label(each, { [useLabel(credential)]: 'false' })))
  await clean(namespaces)
})

test('a removal that is undone in the same request is made again when it can be', async () => {
  const { credential, namespaces } = await served('undone', 1)
  const [namespace = ''] = namespaces
  const stop = await undoRemovals(namespace)
  const since = new Date()
  await lab.label(namespace, { [useLabel(credential)]: 'false' })
  await eventually(async () => expect(await linksWritten(since)).not.toEqual([]))
  expect(await lab.references(namespace)).toEqual(['regcred'])
  await stop()
  await clean(namespaces)
})

test('a ServiceAccount that opts out loses the reference', async () => {
  const { namespaces } = await served('account', 1)
  const [namespace = ''] = namespaces
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await lab.patch(serviceAccountPath(namespace), { metadata: { annotations: { [optOutKey]: 'true' } } })
  await eventually(async () => expect(await lab.references(namespace)).toEqual([]))
})

test('the operator finds out that the policies act', async () => {
  const known = async () => expect(await operator.metrics()).toContain('\nregcred_admission_policies_act 1\n')
  await eventually(known, { describe: 'the metric', timeoutMs: 180_000 })
})

/**
 * What a policy does that does not know of a change yet, for as long as it is wanted: in this namespace the reference and
 * the annotation come back with every write. @returns ends it
 */
async function undoRemovals(namespace: string): Promise<() => Promise<void>> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: 'undo.example.com' }
  const expression = `[
    JSONPatch{op: "add", path: "/imagePullSecrets", value: [{"name": "regcred"}]},
    JSONPatch{op: "add", path: "/metadata/annotations", value: {"${managedAnnotation}": "regcred"}}]`
  const serviceAccounts = {
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['serviceaccounts'],
    operations: ['UPDATE'],
  }
  const spec = {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: { resourceRules: [serviceAccounts] },
    matchConditions: [{ name: 'here', expression: `request.namespace == '${namespace}'` }],
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
  }
  const binding = { apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata, spec: { policyName: metadata.name } }
  await cluster.apply(JSON.stringify({ apiVersion, kind: 'MutatingAdmissionPolicy', metadata, spec }))
  await cluster.apply(JSON.stringify(binding))
  // Nothing else adds a reference to one that opts out.
  const optOut = { metadata: { annotations: { [optOutKey]: 'true' } }, imagePullSecrets: null }
  const acts = async () => {
    const answer = await lab.client.mergePatch<ServiceAccount>(serviceAccountPath(namespace), optOut, dryRun)
    return answer.imagePullSecrets !== undefined
  }
  await eventually(acts, { describe: 'removals are undone' })
  return async () => {
    await cluster.kubectl('delete', 'mutatingadmissionpolicy,mutatingadmissionpolicybinding', metadata.name)
    await eventually(async () => !(await acts()), { describe: 'removals are no longer undone' })
  }
}
