/** The writes that the base class is given instead of its own. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KubeConfig } from '@kubernetes/client-node'
import type { Caches } from '../src/controller/caches.ts'
import type { ObservedCredential } from '../src/controller/observe.ts'
import { createCaches, credentialsPath } from '../src/controller/watches.ts'
import { KubeClient } from '../src/kube/client.ts'
import type { KubeObject } from '../src/kube/objects.ts'
import type { Status } from '../src/model/status.ts'
import { sharedCluster } from './cluster/shared.ts'
import { Lab } from './controller/lab.ts'

let lab: Lab
let client: KubeClient
let caches: Caches
let writeStatus: (credential: ObservedCredential, status: Status) => Promise<void>

beforeAll(async () => {
  // jest cannot load the base class, which is CommonJS, before the client library is there.
  const { RegistryCredentialOperator } = await import('../src/operator.ts')
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromFile(sharedCluster().adminKubeconfig)
  lab = new Lab()
  client = new KubeClient({ kubeConfig, version: 'test' })
  caches = createCaches(['regcred'])
  const operator = new RegistryCredentialOperator(kubeConfig, client, caches, async () => {})
  writeStatus = (credential, status) => operator.writeStatus(credential, status)
})

afterAll(async () => {
  await client.close()
  await lab.close()
})

const spec = { source: { secretRef: { name: 'none' } }, suspend: true }
const login = { registries: ['ghcr.io'], issuedAt: '2026-01-01T00:00:00Z' }

/** What the watch would bring now. */
async function observe(name: string): Promise<ObservedCredential> {
  caches.credentials.observe('MODIFIED', await lab.client.get<KubeObject>(`${credentialsPath}/${name}`))
  const credential = caches.credentials.get('', name)
  if (credential === undefined) throw new Error(`the cache has lost ${name}`)
  return credential
}

async function statusOf(name: string): Promise<Status | undefined> {
  return (await lab.readForged(name)).status
}

test('a status is written whole: what others have put into it goes, by whatever way it came', async () => {
  const name = await lab.credential('forged', spec)
  const path = `${credentialsPath}/${name}/status`
  await writeStatus(await observe(name), { observedGeneration: 1, credential: login })
  const expiresAt = '2030-01-01T00:00:00Z'
  const failures = [{ namespace: 'a', reason: 'Forged', message: 'It is not.' }]
  await lab.patch(path, { status: { credential: { expiresAt } } })
  const applied = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata: { name }, status: { failures } }
  await lab.client.apply(path, applied, { fieldManager: 'forger' })
  expect(await statusOf(name)).toEqual({ observedGeneration: 1, credential: { ...login, expiresAt }, failures })

  await writeStatus(await observe(name), { observedGeneration: 1, credential: login })
  expect(await statusOf(name)).toEqual({ observedGeneration: 1, credential: login })
  await writeStatus(await observe(name), { observedGeneration: 1 })
  expect(await statusOf(name)).toEqual({ observedGeneration: 1 })
})

test('what was written is known at once, and the echo of it is no news', async () => {
  const name = await lab.credential('echo', spec)
  const known = await observe(name)
  const news: unknown[] = []
  const unsubscribe = caches.credentials.subscribe((change) => news.push(change))
  await writeStatus(known, { observedGeneration: 1 })
  expect(caches.credentials.get('', name)?.status).toEqual({ observedGeneration: 1 })
  await observe(name)
  expect(news).toEqual([])
  unsubscribe()
})

test('a status is not written to a credential that has changed since, and the change stays news', async () => {
  const name = await lab.credential('overtaken', spec)
  const known = await observe(name)
  const before = await statusOf(name)
  await lab.patchCredential(name, { priority: 1 })
  await expect(writeStatus(known, { observedGeneration: 1 })).rejects.toMatchObject({ code: 409 })
  expect(await statusOf(name)).toEqual(before)
  const told: (number | undefined)[] = []
  const unsubscribe = caches.credentials.subscribe(({ after }) => told.push(after?.generation))
  await writeStatus(await observe(name), { observedGeneration: 2 })
  expect(told).toEqual([2])
  unsubscribe()
})

test('a status is never written to another object of the same name', async () => {
  const name = await lab.credential('anew', spec)
  const known = await observe(name)
  await lab.deleteCredential(name)
  await expect(writeStatus(known, { observedGeneration: 1 })).rejects.toMatchObject({ code: 404 })
  await lab.credential('anew', spec)
  const before = await statusOf(name)
  await expect(writeStatus(known, { observedGeneration: 1 })).rejects.toMatchObject({ code: 409 })
  expect(await statusOf(name)).toEqual(before)
})

test('the uid would not tell one object from another: the API server passes over it in writes of a status', async () => {
  const name = await lab.credential('uid', spec)
  const { uid } = await observe(name)
  const metadata = { uid: '00000000-0000-4000-8000-000000000000' }
  await lab.patch(`${credentialsPath}/${name}/status`, { metadata, status: { observedGeneration: 1 } })
  expect((await lab.readForged(name)).metadata.uid).toBe(uid)
  expect(await statusOf(name)).toEqual({ observedGeneration: 1 })
})
