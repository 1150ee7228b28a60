/** Which namespaces and ServiceAccounts get the Secret, as they come, change and go. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from './lab.ts'

let lab: Lab
let operator: RunningOperator
let source: string

const login = { username: 'robot', password: 'p4ssw0rd-of-selection' }

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('selection', { 'ghcr.io': login })
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

async function served(namespace: string, serviceAccount = 'default', secret = 'regcred'): Promise<void> {
  await eventually(
    async () => {
      expect(await lab.logins(namespace, secret)).toEqual({ 'ghcr.io': login })
      expect(await lab.references(namespace, serviceAccount)).toEqual([secret])
    },
    { describe: `Secret and reference in ${namespace}` },
  )
}

async function notServed(namespace: string): Promise<void> {
  await eventually(
    async () => {
      expect(await lab.secret(namespace)).toBeNull()
      expect(await lab.references(namespace)).toEqual([])
    },
    { describe: `neither Secret nor reference in ${namespace}` },
  )
}

test('namespaces of before and after the credential are served, others are not', async () => {
  const early = await lab.namespace('early')
  const other = await lab.namespace('other')
  const credential = await lab.credential('globs', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('early'), `${lab.unique('la?e')}`], optIn: true },
  })
  await lab.ready(credential)
  const late = await lab.namespace('late')
  await served(early)
  await served(late)
  await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.namespaces?.summary).toBe('2/2')
    expect(status?.serviceAccounts).toEqual({ selected: 2, linked: 2 })
  })
  await notServed(other)
})

test('a namespace opts in and out by its label, and opting out of all wins', async () => {
  const namespace = await lab.namespace('opting')
  const credential = await lab.credential('opt-in', { source: { secretRef: { name: source } } })
  const path = `/api/v1/namespaces/${namespace}`
  const label = (labels: Record<string, string | null>) => lab.patch(path, { metadata: { labels } })
  await lab.ready(credential)
  await notServed(namespace)
  await label({ [`use.regcred.dev/${credential}`]: 'true' })
  await served(namespace)
  await label({ [`use.regcred.dev/${credential}`]: 'false' })
  await notServed(namespace)
  await label({ [`use.regcred.dev/${credential}`]: 'true' })
  await served(namespace)
  await label({ 'regcred.dev/opt-out': 'true' })
  await notServed(namespace)
})

test('a namespace is served while its labels match the selector', async () => {
  const namespace = await lab.namespace('labelled', { tier: lab.unique('front') })
  const credential = await lab.credential('selector', {
    source: { secretRef: { name: source } },
    namespaces: { selector: { matchLabels: { tier: lab.unique('back') } }, optIn: true },
  })
  await lab.ready(credential)
  await notServed(namespace)
  await lab.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels: { tier: lab.unique('back') } } })
  await served(namespace)
  await lab.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels: { tier: null } } })
  await notServed(namespace)
})

test('ServiceAccounts are linked by name and glob, also those that come later and those made anew', async () => {
  const namespace = await lab.namespace('accounts')
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  const account = (name: string, annotations = {}) =>
    lab.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, annotations } })
  await account('deploy-early')
  await account('deploy-alone', { 'regcred.dev/opt-out': 'true' })
  await account('other')
  await lab.credential('accounts', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
    serviceAccounts: ['default', 'deploy-*'],
  })
  await served(namespace, 'deploy-early')
  await account('deploy-late')
  await served(namespace, 'deploy-late')
  await served(namespace)
  await lab.client.delete(`${accounts}/default`) // the controller-manager makes it anew
  await served(namespace)
  expect(await lab.references(namespace, 'other')).toEqual([])
  expect(await lab.references(namespace, 'deploy-alone')).toEqual([])
})

test('a ServiceAccount that opts out loses our reference and keeps its own', async () => {
  const namespace = await lab.namespace('leaving')
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
  await lab.patch(path, { imagePullSecrets: [{ name: 'own' }] })
  await lab.credential('leaving', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own', 'regcred']))
  await lab.patch(path, { metadata: { annotations: { 'regcred.dev/opt-out': 'true' } } })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own']))
})

test('a namespace that is being deleted goes, and no error is left behind', async () => {
  const namespace = await lab.namespace('ending')
  const credential = await lab.credential('ending', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  await served(namespace)
  await lab.client.delete(`/api/v1/namespaces/${namespace}`)
  await eventually(async () => {
    const { items } = await lab.client.get<{ items: { metadata: { name: string } }[] }>('/api/v1/namespaces')
    expect(items.map(({ metadata }) => metadata.name)).not.toContain(namespace)
    const { status } = await lab.readCredential(credential)
    expect(status?.namespaces).toEqual({ selected: 0, synced: 0, failed: 0, summary: '0/0' })
  })
})

test('system namespaces are selected only by their plain names', async () => {
  const credential = await lab.credential('everywhere', {
    source: { secretRef: { name: source } },
    secretName: 'regcred',
    namespaces: { include: ['*'], optIn: true },
    serviceAccounts: [],
  })
  await lab.ready(credential)
  expect(await lab.secret('kube-system')).toBeNull()
  await lab.patchCredential(credential, { namespaces: { include: ['kube-public'], optIn: true } })
  await eventually(async () => expect(await lab.logins('kube-public')).toEqual({ 'ghcr.io': login }))
  await lab.deleteCredential(credential)
  await eventually(async () => expect(await lab.secret('kube-public')).toBeNull())
})
