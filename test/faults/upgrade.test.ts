/** The CRD goes and comes back; the operator follows an older one, and a newer one. No crash, and nothing is lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { dockerConfigJsonKey, managedAnnotation, stateSecretPrefix } from '../../src/api/names.ts'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { operatorNamespace, type Secret, secretPath, serviceAccountPath } from '../controller/lab.ts'
import { describe, isWrite, requestsSince } from '../controller/traffic.ts'
import { linesOf } from '../process/program.ts'
import { scaled } from '../support/scale.ts'
import { applyCrd, applyNewerCrd, applyOlderCrd, deleteCrd } from './crd.ts'
import { passwordOf, registries } from './logins.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'
import { convergeMs, World } from './world.ts'

const fieldManager = 'regcred-operator'

let cluster: OwnedCluster
let world: World
let operator: RunningOperator

beforeEach(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  world = await World.make(cluster, 'world', 12)
})

afterEach(async () => {
  await operator.kill()
  await world.lab.close()
  await cluster.stop()
})

test(
  'a CRD that is deleted takes all with it but what is of others; when it is back, all is served again',
  async () => {
    operator = await startOperator({ cluster })
    for (let round = 0; round < scaled({ quick: 1, long: 10 }); round++) {
      await world.begin('fan-out')
      await world.ended(convergeMs)
      await world.begin('removal', () => deleteCrd(cluster))
      await world.ended(convergeMs)
      await applyCrd(cluster)
    }
    await world.begin('fan-out')
    await world.ended(convergeMs)
    await world.begin('rotation')
    await world.ended(convergeMs)
    expect(operator.pid).toBeDefined()
    await operator.kill()

    // Nobody is there to see it, and somebody helps with the finalizers: what is left is found by whoever is applied next.
    const { items } = await world.lab.client.get<{ items: RegistryCredential[] }>(credentialsPath)
    for (const { metadata } of items) {
      await world.lab.patch(`${credentialsPath}/${metadata.name}`, { metadata: { finalizers: null } })
    }
    await deleteCrd(cluster)
    await applyCrd(cluster)
    await world.begin('fan-out')
    operator = await startOperator({ cluster })
    await world.ended(convergeMs)
    await world.begin('removal')
    await world.ended(convergeMs)
  },
  FAULT_TIMEOUT_MS,
)

test(
  'what an older version has written is taken over in place, by one write at most, under its CRD and under ours',
  async () => {
    await applyOlderCrd(cluster)
    await world.begin('fan-out')
    await asOlderVersion()
    const before = await secrets()
    const since = new Date()
    operator = await startOperator({ cluster })
    await world.ended(convergeMs)
    expect(uids(await secrets())).toEqual(uids(before))
    const counts = Map.groupBy(await writes(since), (each) => `${each.resource} ${each.namespace}/${each.name}`)
    expect([...counts].filter(([key, each]) => !key.startsWith('registrycredentials') && each.length > 1)).toEqual([])
    expect([...counts.keys()].filter((key) => key.startsWith('serviceaccounts'))).toEqual([])

    await quiet(() => Promise.resolve())
    await quiet(() => applyCrd(cluster))
    for (const phase of ['rotation', 'removal'] as const) {
      await world.begin(phase)
      await world.ended(convergeMs)
    }
    expect(errors()).toEqual([])
  },
  FAULT_TIMEOUT_MS,
)

test(
  'what a newer version has written is no reason to lose anything',
  async () => {
    operator = await startOperator({ cluster })
    await world.begin('fan-out')
    await world.ended(convergeMs)
    const before = uids(await secrets())
    await operator.stop()
    await applyNewerCrd(cluster)
    const restore = await asNewerVersion()
    operator = await startOperator({ cluster })
    // The login of an unknown source stays in use, and nothing of anybody else is touched.
    const unreadable = async () => {
      const { items } = await world.lab.client.get<{ items: RegistryCredential[] }>(credentialsPath)
      const ready = items.map(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason)
      expect(ready.sort()).toEqual(['NamespacesFailed', 'SourceInvalid'])
    }
    await eventually(unreadable)
    await sleep(2_000)
    expect(uids(await secrets())).toEqual(before)
    for (const secret of await secrets()) {
      expect(Object.keys(JSON.parse(atob(secret.data?.[dockerConfigJsonKey] ?? '')).auths)).toHaveLength(2)
    }
    await restore()
    await world.ended(convergeMs)
    expect(uids(await secrets())).toEqual(before)
    for (const phase of ['rotation', 'removal'] as const) {
      await world.begin(phase)
      await world.ended(convergeMs)
    }
    expect(errors()).toEqual([])
  },
  FAULT_TIMEOUT_MS,
)

/** Copies of ours. */
async function secrets(): Promise<Secret[]> {
  const query = { fieldSelector: 'metadata.name=regcred,type=kubernetes.io/dockerconfigjson' }
  return (await world.lab.client.get<{ items: Secret[] }>('/api/v1/secrets', { query })).items
}

function uids(all: Secret[]): string[] {
  return all.map(({ metadata }) => metadata.uid).sort()
}

async function writes(since: Date) {
  const all = (await requestsSince(cluster, since)).filter(isWrite)
  return all.filter(({ resource, namespace }) => resource !== 'events' && namespace !== operatorNamespace)
}

/** Nothing is written for some seconds after this. */
async function quiet(work: () => Promise<void>): Promise<void> {
  const since = new Date()
  await work()
  await sleep(5_000)
  expect((await writes(since)).map(describe)).toEqual([])
}

function errors() {
  return linesOf(operator.logs()).filter(({ level }) => level === 'error')
}

/** As the first version marked what it made: by a hash with a key of its own. */
async function asOlderVersion(): Promise<void> {
  const { client } = world.lab
  const { items } = await client.get<{ items: RegistryCredential[] }>(credentialsPath)
  const auths = Object.fromEntries(
    Object.entries(registries).map(([username, key]) => [key, { username, password: passwordOf(username, 1) }]),
  )
  const ownerReferences = items.map(({ metadata: { name, uid } }) => ({
    apiVersion: 'regcred.dev/v1',
    kind: 'RegistryCredential',
    name,
    uid,
  }))
  for (const { name: namespace } of world.places.filter(
    ({ kind }) => !['opted-out', 'foreign-secret'].includes(kind),
  )) {
    const metadata = {
      name: 'regcred',
      labels: { 'app.kubernetes.io/managed-by': 'regcred-operator' },
      annotations: { 'regcred.dev/hash': '0123456789abcdef0123456789abcdef' },
      ownerReferences,
    }
    const stringData = { [dockerConfigJsonKey]: JSON.stringify({ auths }) }
    const secret = { metadata, type: 'kubernetes.io/dockerconfigjson', stringData }
    await client.create(`/api/v1/namespaces/${namespace}/secrets`, secret, { fieldManager })
    const own = (await world.lab.references(namespace)).map((name) => ({ name }))
    const linked = {
      metadata: { annotations: { [managedAnnotation]: 'regcred' } },
      imagePullSecrets: [...own, { name: 'regcred' }],
    }
    await client.mergePatch(serviceAccountPath(namespace), linked, { fieldManager })
  }
}

/** @returns gives the credential with an unknown source its own again */
async function asNewerVersion(): Promise<() => Promise<void>> {
  const { client } = world.lab
  const { items } = await client.get<{ items: RegistryCredential[] }>(credentialsPath)
  const [first, second] = items
  if (!first || !second) throw new Error('there are two credentials')
  for (const { metadata } of items) {
    const path = `${credentialsPath}/${metadata.name}`
    await client.mergePatch(path, { spec: { future: { a: [1] } } }, { fieldManager: 'test' })
    await client.mergePatch(`${path}/status`, { status: { future: { b: 'c' } } }, { fieldManager: 'test' })
    const state = secretPath(operatorNamespace, stateSecretPrefix + metadata.uid.charAt(0))
    const { data = {} } = await client.get<Secret>(state)
    const kept = JSON.parse(atob(data[metadata.uid] ?? ''))
    const newer = btoa(JSON.stringify({ ...kept, check: 'of another kind', future: { d: [null] } }))
    await client.mergePatch(state, { data: { [metadata.uid]: newer } }, { fieldManager: 'test' })
  }
  const place = world.places.find(({ kind }) => kind === 'plain')
  const annotations = { 'regcred.dev/mark': 'v2;of;another;kind' }
  await client.mergePatch(secretPath(place?.name ?? ''), { metadata: { annotations } }, { fieldManager })
  const path = `${credentialsPath}/${first.metadata.name}`
  const change = (source: object) => client.mergePatch(path, { spec: { source } }, { fieldManager: 'test' })
  await change({ secretRef: null, future: { url: 'https://issuer.example' } })
  return async () => void (await change({ ...first.spec.source, future: null }))
}
