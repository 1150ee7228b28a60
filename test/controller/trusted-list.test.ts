/** The list of trusted registries that the operator keeps, in a ConfigMap in which people keep theirs; on a cluster of its own. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { trustedManager } from '../../src/api/names.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { forbidden } from '../admission/trusted.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { openApi } from '../support/api.ts'
import { Lab, operatorNamespace } from './lab.ts'

const policies = join(import.meta.dirname, '..', '..', 'config', 'policies')
const role = join(policies, 'trusted-registries-from-credentials', 'role.yaml')
const name = 'trusted-registries'
const path = `/api/v1/namespaces/${operatorNamespace}/configmaps/${name}`
const login = { username: 'robot', password: 'p4ssw0rd-of-trusted-list' }
const people = '# ours\nquay.io/acme\n'

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator

const start = () => startOperator({ cluster, args: [`--trusted-registries=${name}`] })

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  await cluster.kubectl('apply', '--server-side', '-f', role)
  lab = new Lab(cluster)
  await write({ registries: people })
  operator = await start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
  await cluster.stop()
})

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

/** As GitOps does it: these keys and no others. */
async function write(data: Record<string, string>): Promise<void> {
  await lab.client.apply(
    path,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
    { fieldManager: 'git' },
  )
}

async function data(): Promise<Record<string, string>> {
  return (await lab.client.get<ConfigMap>(path)).data ?? {}
}

async function listed(...lines: string[]): Promise<void> {
  await eventually(async () => expect(await data()).toEqual({ registries: people, credentials: lines.join('\n') }))
}

/** How often the operator has written the ConfigMap since. */
async function writesSince(time: Date): Promise<number> {
  const entries = await cluster.auditLog(time)
  return entries.filter(
    ({ verb, resource, user }) => verb === 'patch' && resource === 'configmaps' && user.endsWith(':regcred-operator'),
  ).length
}

test('it holds what credentials are for, by themselves or by their source, beside what people trust', async () => {
  const source = await lab.source('several', { 'ghcr.io/acme/': login, 'https://index.docker.io/v1/': login })
  const several = await lab.credential('several', { source: { secretRef: { name: source } } })
  await lab.ready(several)
  await listed('ghcr.io/acme')
  const declared = await lab.credential('declared', {
    source: { secretRef: { name: 'not-there-yet' } },
    registries: ['registry.example.com:5000/team/', 'docker.io/acme', '*.example.com'],
  })
  await listed('docker.io/acme', 'ghcr.io/acme', 'registry.example.com:5000/team')
  expect(operator.logs()).toMatch(
    /not put on the list of trusted ones.*\*\.example\.com, https:\/\/index\.docker\.io\/v1\//,
  )

  await lab.rotate(source, { 'ghcr.io/other/': login })
  await listed('docker.io/acme', 'ghcr.io/other', 'registry.example.com:5000/team')
  await lab.patchCredential(declared, { suspend: true })
  await eventually(async () => {
    const { status } = await lab.readCredential(declared)
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('Suspended')
  })
  await listed('docker.io/acme', 'ghcr.io/other', 'registry.example.com:5000/team')
  await lab.patchCredential(declared, { suspend: false, registries: ['registry.example.com'] })
  await listed('ghcr.io/other', 'registry.example.com')
  await lab.deleteCredential(declared)
  await listed('ghcr.io/other')
})

test('it owns its key alone, and comes back when somebody changes it or deletes the ConfigMap', async () => {
  const { metadata } = await lab.client.get<ConfigMap>(path)
  const ours = metadata.managedFields?.find(({ manager }) => manager === trustedManager)
  expect(ours?.fieldsV1).toEqual({ 'f:data': { 'f:credentials': {} } })
  await lab.patch(path, { data: { credentials: 'evil.example.com' } })
  await listed('ghcr.io/other')
  await lab.patch(path, { data: { credentials: null } })
  await listed('ghcr.io/other')
  await lab.client.delete(path)
  await eventually(async () => expect(await data()).toEqual({ credentials: 'ghcr.io/other' }))
  await write({ registries: people })
  await listed('ghcr.io/other')
})

test('it is written for nothing else: not when people write theirs, nor at a restart', async () => {
  const since = new Date()
  await write({ registries: people, digests: '' })
  await write({ registries: people })
  expect(await operator.stop()).toBe(0)
  operator = await start()
  const last = await lab.credential('last', {
    source: { secretRef: { name: 'none' } },
    registries: ['last.example.com'],
  })
  await listed('ghcr.io/other', 'last.example.com')
  await eventually(async () => expect(await writesSince(since)).toBe(1))
  await lab.deleteCredential(last)
  await listed('ghcr.io/other')
})

test('with the policy, images of a registry are trusted as long as there is a credential for it', async () => {
  await cluster.kubectl('apply', '--server-side', '-f', join(policies, name, 'policy.yaml'))
  const namespace = await lab.namespace('trusting', { 'regcred.dev/trusted-registries': 'deny' })
  const api = openApi(cluster.adminKubeconfig)
  const create = (image: string) =>
    api('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'tried' },
      spec: { containers: [{ name: 'main', image }] },
    })
  const refused = forbidden(
    /not from a trusted registry: new\.example\.com\/app\. The ConfigMap regcred-system\/trusted-registries lists/,
  )
  await eventually(async () => expect(await create('new.example.com/app')).toMatchObject(refused))
  expect(await create('quay.io/acme/app')).toMatchObject({ status: 201 })
  expect(await create('ghcr.io/other/app')).toMatchObject({ status: 201 })
  const credential = await lab.credential('new', {
    source: { secretRef: { name: 'none' } },
    registries: ['new.example.com'],
  })
  await eventually(async () => expect(await create('new.example.com/app')).toMatchObject({ status: 201 }))
  await lab.deleteCredential(credential)
  await eventually(async () => expect(await create('new.example.com/app')).toMatchObject(refused))
})

test('without the right to it the operator says what is missing, and does all else', async () => {
  expect(await operator.stop()).toBe(0)
  await cluster.kubectl('delete', '-f', role)
  operator = await start()
  await eventually(() =>
    expect(operator.logs()).toMatch(
      /the list of trusted registries cannot be kept.*list, watch, create and patch the ConfigMap trusted-registries/,
    ),
  )
  const namespace = await lab.namespace('served')
  const source = await lab.source('served', { 'ghcr.io/acme/': login })
  await lab.ready(
    await lab.credential('served', {
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace], optIn: true },
    }),
  )
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await cluster.kubectl('apply', '--server-side', '-f', role)
  await listed('ghcr.io/acme', 'ghcr.io/other')
})
