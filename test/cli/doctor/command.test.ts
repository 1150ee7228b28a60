/** `kubectl regcred doctor` on an installation of its own, which is well, and then broken in many ways. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Check } from '../../../src/cli/doctor/facts.ts'
import { type OwnedCluster, startCluster } from '../../cluster/cluster.ts'
import { installOperator } from '../../cluster/install.ts'
import { type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { hasMutatingPolicies } from '../../cluster/served.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab } from '../../controller/lab.ts'
import { leaksIn, newCanary } from '../../support/canary.ts'
import { type Outcome, regcred } from '../plugin.ts'
import { userWith } from '../rights.ts'

let cluster: OwnedCluster
let operator: RunningOperator
let lab: Lab
let credential: string
const password = newCanary()
const admission = ['-f', 'config/admission/serviceaccounts.yaml', '-f', 'config/admission/pods.yaml']

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  if (hasMutatingPolicies) await cluster.kubectl('apply', ...admission)
  operator = await startOperator({ cluster, replica: true })
  lab = new Lab(cluster)
  const source = await lab.source('doctor', { 'ghcr.io': { username: 'robot', password } })
  credential = await lab.credential('doctor', {
    source: { secretRef: { name: source } },
    namespaces: { include: ['default'], optIn: true },
  })
  await lab.ready(credential)
})

afterAll(async () => {
  await operator.stop()
  await lab.close()
  await cluster.stop()
})

const doctor = (args: string[] = [], kubeconfig = cluster.adminKubeconfig) =>
  regcred(['doctor', ...args], { kubeconfig })

async function bad(): Promise<Record<string, string>> {
  const { checks }: { checks: Check[] } = JSON.parse((await doctor(['-o', 'json'])).stdout)
  return Object.fromEntries(
    checks.filter(({ level }) => level !== 'ok').map(({ name, level, message }) => [name, `${level}: ${message}`]),
  )
}

/** There is no kubelet: the pods of the Deployment run when this says so. */
async function runPods(): Promise<void> {
  const { items } = await lab.client.get<{ items: { metadata: { name: string } }[] }>(
    '/api/v1/namespaces/regcred-system/pods',
  )
  expect(items).toHaveLength(2)
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
  for (const { metadata } of items) {
    await lab.patch(`/api/v1/namespaces/regcred-system/pods/${metadata.name}/status`, {
      status: { phase: 'Running', conditions },
    })
  }
}

test('an installation that is well', async () => {
  await eventually(runPods)
  const { stdout } = await eventually(async (): Promise<Outcome> => {
    const outcome = await doctor()
    expect(outcome).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('\nNo problems were found.\n'),
    })
    return outcome
  })
  expect(stdout).toMatch(/^ok {8}API server: Kubernetes v1\.\d+/)
  expect(stdout).toMatch(/^ok {8}CRD: registrycredentials.regcred.dev v1, with the schema of this plugin/m)
  expect(stdout).toMatch(/^ok {8}leader: .*, renewed \ds ago$/m)
  expect(stdout).toMatch(/^ok {8}guard: config\/guard is there, bound, and of this version$/m)
  expect(stdout).toContain(
    hasMutatingPolicies
      ? '\nok        admission policies: config/admission is there, bound, and of this version\n'
      : '\nok        admission policies: not installed, which is fine; They need Kubernetes 1.36 or newer\n',
  )
  expect(leaksIn({ stdout }, { password })).toEqual([])
})

test('a list of trusted registries that trusts nothing, or not what it says', async () => {
  await cluster.kubectl('apply', '--server-side', '-k', 'config/policies/trusted-registries')
  const list = 'ConfigMap regcred-system/trusted-registries'
  expect(await bad()).toEqual({ 'trusted registries': `warning: ${list} lists none, so no image is trusted` })
  const trust = (registries: string) =>
    lab.patch('/api/v1/namespaces/regcred-system/configmaps/trusted-registries', { data: { registries } })
  await trust('nginx\n')
  expect(await bad()).toEqual({ 'trusted registries': `warning: ${list} has lines that trust nothing: nginx` })
  await trust('docker.io/library\n')
  expect((await doctor()).stdout).toMatch(/^ok {8}trusted registries: config\/policies\/trusted-registries is there/m)
})

test('who may do little is told what could not be looked at', async () => {
  const { code, stdout, stderr } = await doctor([], await userWith({}, cluster))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('unknown   CRD: you may not read CustomResourceDefinition registrycredentials.regcred.dev\n')
  expect(stdout).toContain('unknown   RBAC: you may not ask what others may do')
  expect(stdout).toMatch(/No problems were found\. \d things could not be looked at\.\n$/)
})

test('what breaks is found', async () => {
  await lab.namespace('foreign')
  const foreign = lab.unique('foreign')
  await lab.create(`/api/v1/namespaces/${foreign}/secrets`, { metadata: { name: 'regcred' }, type: 'Opaque' })
  await lab.patchCredential(credential, {
    namespaces: { include: ['default', foreign] },
    pods: 'AddToOwnList',
    healPods: 'Evict',
  })
  await lab.condition(credential, 'Ready', 'False')
  const other = await lab.credential('other', { secretName: 'other', source: { secretRef: { name: 'none' } } })
  await lab.condition(other, 'Stalled', 'True')
  const rules = [{ op: 'remove', path: '/rules/0' }]
  await cluster.kubectl('patch', 'clusterrole', 'regcred-operator', '--type=json', '-p', JSON.stringify(rules))
  await cluster.kubectl('delete', 'validatingadmissionpolicybinding', 'guard-secrets.regcred.dev')
  if (hasMutatingPolicies) await cluster.kubectl('delete', ...admission)
  await cluster.kubectl('delete', '-n', 'regcred-system', 'configmap', 'trusted-registries')
  const field = '/spec/versions/0/schema/openAPIV3Schema/description'
  const edit = [{ op: 'replace', path: field, value: 'Another.' }]
  await cluster.kubectl('patch', 'crd', 'registrycredentials.regcred.dev', '--type=json', '-p', JSON.stringify(edit))
  expect(await operator.stop()).toBe(0)
  expect(await bad()).toEqual({
    CRD: expect.stringMatching(/^warning: .* has another schema/),
    leader: expect.stringMatching(/^error: nobody holds/),
    RBAC: expect.stringMatching(/^error: .* may not list registrycredentials \(its input\); .*create pods\/eviction/),
    guard: 'error: guard-secrets.regcred.dev has no binding, and so does nothing',
    'admission policies': expect.stringMatching(/^error: not installed, so spec.pods AddToOwnList/),
    'trusted registries': expect.stringMatching(
      /^error: there is no ConfigMap regcred-system\/trusted-registries, for trusted-registries-audit/,
    ),
    credentials: expect.stringContaining('error: not ready: '),
    'Secret names': `error: the installation may write regcred, and not other (${other})`,
    'foreign Secrets': `error: Secrets that the operator did not make are in the way: ${foreign}/regcred`,
  })
  expect((await doctor()).code).toBe(1)
})

test('without the operator and its CRD', async () => {
  await lab.close()
  lab = new Lab(cluster)
  await cluster.kubectl('delete', 'crd', 'registrycredentials.regcred.dev')
  await cluster.kubectl('delete', '-n', 'regcred-system', 'deployment,lease', 'regcred-operator')
  expect(await bad()).toMatchObject({
    CRD: 'error: registrycredentials.regcred.dev is not there',
    Deployment: 'error: regcred-system/regcred-operator is not there',
    leader: expect.stringMatching(/^error: there is no Lease/),
  })
})
