/**
 * `imagePullSecrets` has many writers. Whoever guards writes with the resourceVersion loses nothing to the operator, and
 * the operator's entry comes back after a writer that replaces the list.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isConflict } from '../../src/kube/api-error.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { inParallel } from '../support/in-parallel.ts'
import { Lab, type ServiceAccount } from './lab.ts'
import { requestsSince } from './traffic.ts'

const namespaceCount = 6
const accountsPerNamespace = 50
const appended = ['other-1', 'other-2', 'other-3', 'other-4']
const writers = 16

let lab: Lab
let operator: RunningOperator
let source: string

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('contention', { 'ghcr.io': { username: 'robot', password: 'contention-login' } })
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

interface Account {
  namespace: string
  name: string
  path: string
}

/** New namespaces with so many ServiceAccounts beside `default`, each of which has an entry of its own already. */
async function makeAccounts(prefix: string): Promise<Account[]> {
  const namespaces = await Promise.all(
    Array.from({ length: namespaceCount }, (_, index) => lab.namespace(`${prefix}-${index}`)),
  )
  const accounts = namespaces.flatMap((namespace) =>
    Array.from({ length: accountsPerNamespace }, (_, index) => {
      const name = `app-${index}`
      return { namespace, name, path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}` }
    }),
  )
  await inParallel(accounts, writers, async ({ namespace, name }) => {
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name }, imagePullSecrets: [{ name: 'own' }] }
    await lab.client.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, object, { fieldManager: 'test' })
  })
  return accounts
}

/** As a careful controller does it. @returns how often somebody else was faster */
async function append(path: string, entry: string): Promise<number> {
  for (let conflicts = 0; ; conflicts++) {
    const { metadata, imagePullSecrets = [] } = await lab.client.get<ServiceAccount>(path)
    try {
      await lab.patch(path, {
        metadata: { resourceVersion: metadata.resourceVersion },
        imagePullSecrets: [...imagePullSecrets, { name: entry }],
      })
      return conflicts
    } catch (error) {
      if (!isConflict(error)) throw error
    }
  }
}

async function appendAll(accounts: Account[]): Promise<number> {
  let conflicts = 0
  for (const entry of appended) {
    await inParallel(accounts, writers, async ({ path }) => {
      conflicts += await append(path, entry)
    })
  }
  return conflicts
}

/** Everybody's entries in everybody's order, ours once, and our note that it is ours. */
async function expectAllEntries(accounts: Account[]): Promise<void> {
  const wrong: string[] = []
  let lost = 0
  await inParallel(accounts, writers, async ({ path }) => {
    const { metadata, imagePullSecrets = [] } = await lab.client.get<ServiceAccount>(path)
    const names = imagePullSecrets.map(({ name }) => name ?? '')
    const others = names.filter((name) => name !== 'regcred')
    lost += appended.filter((name) => !names.includes(name)).length
    const asExpected =
      JSON.stringify(others) === JSON.stringify(['own', ...appended]) &&
      names.length === others.length + 1 &&
      metadata.annotations?.['regcred.dev/managed'] === 'regcred'
    if (!asExpected) wrong.push(`${path}: ${names} (${metadata.annotations?.['regcred.dev/managed']})`)
  })
  expect(wrong.slice(0, 5)).toEqual([])
  expect(lost).toBe(0)
}

test('of 1,200 entries that another writer appends to 300 ServiceAccounts meanwhile, none is lost', async () => {
  const accounts = await makeAccounts('crowd')
  const since = new Date()
  const appending = appendAll(accounts)
  const credential = await lab.credential('crowd', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('crowd-*')], optIn: true },
    serviceAccounts: ['app-*'],
  })
  const conflicts = await appending
  const { status } = await lab.ready(credential)
  expect(status?.serviceAccounts).toEqual({ selected: 300, linked: 300 })
  await expectAllEntries(accounts)
  const patches = (await requestsSince(lab.cluster, since)).filter(({ verb, resource }) => {
    return verb === 'patch' && resource === 'serviceaccounts'
  })
  expect(patches.filter(({ code }) => code === 200)).toHaveLength(300)
  // They did get into each other's way, or this test has shown nothing.
  expect(conflicts + patches.filter(({ code }) => code === 409).length).toBeGreaterThan(0)
})

test('none is lost either while our entry comes and goes', async () => {
  const accounts = await makeAccounts('tide')
  const appending = appendAll(accounts)
  const credential = await lab.credential('tide', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('tide-*')], optIn: true },
    serviceAccounts: ['app-*'],
  })
  let done = false
  const ended = appending.finally(() => {
    done = true
  })
  for (let round = 0; !done; round++) {
    await lab.patchCredential(credential, { serviceAccounts: round % 2 === 0 ? [] : ['app-*'] })
    await eventually(async () => expect(await linkedTo(accounts[0])).toBe(round % 2 === 1))
  }
  await ended
  await lab.patchCredential(credential, { serviceAccounts: ['app-*'] })
  await lab.ready(credential)
  await expectAllEntries(accounts)

  await lab.deleteCredential(credential)
  await eventually(async () => {
    for (const { namespace, name } of [accounts[0], accounts.at(-1)].filter((each) => each !== undefined)) {
      expect(await lab.references(namespace, name)).toEqual(['own', ...appended])
    }
  })
})

async function linkedTo(account: Account | undefined): Promise<boolean> {
  if (account === undefined) throw new Error('no account')
  return (await lab.references(account.namespace, account.name)).includes('regcred')
}

test('after a writer that replaces the list our entry is appended again, and only ours is taken off', async () => {
  const namespace = await lab.namespace('replaced')
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
  const credential = await lab.credential('replaced', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  for (const list of [['git-1'], ['git-2', 'git-1'], [], ['git-3']]) {
    await lab.patch(path, { imagePullSecrets: list.map((name) => ({ name })) })
    await eventually(async () => expect(await lab.references(namespace)).toEqual([...list, 'regcred']))
  }
  await lab.patch(path, { imagePullSecrets: null, metadata: { annotations: null } })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await lab.patch(path, { imagePullSecrets: [{ name: 'regcred' }, { name: 'git-4' }] })
  await lab.ready(credential)
  await lab.deleteCredential(credential)
  await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
  expect(await lab.references(namespace)).toEqual(['git-4'])
})
