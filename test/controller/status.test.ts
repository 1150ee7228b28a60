/** The status and the Events of a credential: true at every moment, counted, and written no oftener than they must be. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { follow, kstatusOf, violationsOf } from './history.ts'
import { Lab, operatorNamespace } from './lab.ts'
import { describe, isWrite, requestsSince } from './traffic.ts'

let lab: Lab
let operator: RunningOperator
let start: Date

beforeAll(async () => {
  lab = new Lab()
  start = new Date()
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const login = (password: string) => ({ 'ghcr.io': { username: 'robot', password } })
const sources = `/api/v1/namespaces/${operatorNamespace}/secrets`

async function makeForeign(namespace: string): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    stringData: { theirs: 'untouched' },
  }
  await lab.create(`/api/v1/namespaces/${namespace}/secrets`, secret)
}

/** Writes of the credential's status, in order. */
async function statusWrites(credential: string): Promise<Date[]> {
  return (await requestsSince(lab.cluster, start))
    .filter((each) => each.name === credential && each.subresource === 'status' && isWrite(each))
    .map(({ time }) => time)
}

/** Waits until the status has the ServiceAccount of its one namespace, after which it does not change any more. */
async function linked(credential: string): Promise<RegistryCredential> {
  return await eventually(async () => {
    const ready = await lab.ready(credential)
    expect(ready.status?.serviceAccounts).toEqual({ selected: 1, linked: 1 })
    return ready
  })
}

test('a whole life keeps the rules of kstatus at every moment', async () => {
  const source = await lab.source('life', login('life-1'))
  const namespaces = await Promise.all(Array.from({ length: 5 }, (_, index) => lab.namespace(`life-${index}`)))
  const foreign = await lab.namespace('life-foreign')
  await makeForeign(foreign)
  const name = lab.unique('life')
  const history = follow(lab, name)
  const latest = () => history.versions.at(-1)
  const reach = async (status: ReturnType<typeof kstatusOf>, reason: string) => {
    await eventually(() => {
      const version = latest()
      expect(version && kstatusOf(version)).toBe(status)
      expect(version?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(reason)
    })
  }
  await lab.credential('life', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('life-*')], optIn: true },
  })
  await reach('InProgress', 'NamespacesFailed')
  await eventually(() =>
    expect(latest()?.status?.namespaces).toEqual({ selected: 6, synced: 5, failed: 1, summary: '5/6' }),
  )
  await lab.client.delete(`/api/v1/namespaces/${foreign}/secrets/regcred`)
  await reach('Current', 'Succeeded')
  const healthy = history.versions.length
  await lab.rotate(source, login('life-2'))
  await eventually(async () => expect(await lab.logins(foreign)).toEqual(login('life-2')))
  await lab.rotate(source, login('broken\n'))
  await reach('Failed', 'SourceInvalid')
  const sinceHealthy = history.versions.slice(healthy)
  const unready = sinceHealthy.findIndex(({ status }) => status?.conditions?.some((c) => c.reason === 'SourceInvalid'))
  for (const { status } of sinceHealthy.slice(0, unready)) {
    // A rotation does not take back that the old login was in place everywhere.
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  }
  await lab.rotate(source, login('life-3'))
  await reach('Current', 'Succeeded')
  await lab.client.delete(`${sources}/${source}`)
  await reach('InProgress', 'SourceNotFound')
  await lab.source('life', login('life-4'))
  await reach('Current', 'Succeeded')
  await lab.patchCredential(name, { suspend: true })
  await reach('Current', 'Suspended')
  await lab.patchCredential(name, { secretName: 'elsewhere', suspend: false })
  await reach('Failed', 'SecretNameNotAllowed')
  await lab.patchCredential(name, { secretName: 'regcred', serviceAccounts: ['*'] })
  await reach('Current', 'Succeeded')
  await lab.client.delete(`/api/v1/namespaces/${namespaces[0]}`)
  await eventually(() => expect(latest()?.status?.namespaces?.summary).toBe('5/5'))
  await lab.deleteCredential(name)
  await eventually(() => expect(history.ended).toBe(true))

  expect(violationsOf(history.versions)).toEqual([])
  expect(history.versions.filter(({ status }) => status?.conditions).length).toBeGreaterThan(10)
})

test('of many failures the first ten are told, by namespace, and all are counted', async () => {
  const source = await lab.source('many', login('many'))
  const namespaces = await Promise.all(
    Array.from({ length: 15 }, (_, index) => lab.namespace(`many-${String(index).padStart(2, '0')}`)),
  )
  const foreign = namespaces.slice(3)
  await Promise.all(foreign.map(makeForeign))
  const credential = await lab.credential('many', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('many-*')], optIn: true },
  })
  const status = await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.namespaces).toEqual({ selected: 15, synced: 3, failed: 12, summary: '3/15' })
    expect(status?.serviceAccounts).toEqual({ selected: 15, linked: 3 })
    return status ?? null
  })
  expect(status.failures?.map(({ namespace }) => namespace)).toEqual(foreign.slice(0, 10))
  expect(new Set(status.failures?.map(({ reason }) => reason))).toEqual(new Set(['NotOwned']))
  for (const namespace of foreign.slice(0, 11)) {
    await lab.client.delete(`/api/v1/namespaces/${namespace}/secrets/regcred`)
  }
  const mended = await eventually(async () => {
    const read = await lab.readCredential(credential)
    return read.status?.namespaces?.synced === 14 && read
  })
  expect(mended.status?.failures?.map(({ namespace }) => namespace)).toEqual(foreign.slice(11))
})

test('a status is written at most once a second, however much happens', async () => {
  const source = await lab.source('busy', login('busy'))
  const namespaces = await Promise.all(Array.from({ length: 4 }, (_, index) => lab.namespace(`busy-${index}`)))
  const credential = await lab.credential('busy', { source: { secretRef: { name: source } } })
  await lab.ready(credential)
  const since = Date.now()
  const label = `use.regcred.dev/${credential}`
  const until = Date.now() + 6_000
  for (let round = 0; Date.now() < until; round++) {
    const labels = { [label]: round % 3 === 2 ? 'false' : 'true' }
    await Promise.all(namespaces.map((each) => lab.patch(`/api/v1/namespaces/${each}`, { metadata: { labels } })))
  }
  const opted = { metadata: { labels: { [label]: 'true' } } }
  await Promise.all(namespaces.map((each) => lab.patch(`/api/v1/namespaces/${each}`, opted)))
  await eventually(async () => {
    expect((await lab.readCredential(credential)).status?.namespaces?.summary).toBe('4/4')
  })
  const times = (await statusWrites(credential)).map((time) => time.getTime()).filter((time) => time > since)
  expect(times.length).toBeGreaterThan(3)
  // Six writes are five seconds apart; one of them for what a busy machine delays the first and not the last.
  const tooFast = times.filter((time, index) => time - (times[index - 5] ?? 0) < 4_000)
  expect(tooFast).toEqual([])
})

test('a status that would say the same is not written', async () => {
  const source = await lab.source('same', login('same'))
  const namespace = await lab.namespace('same')
  const rival = await lab.credential('same-rival', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  const credential = await lab.credential('same', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  for (const each of [credential, rival]) {
    await lab.condition(each, 'Overlapping', 'True')
    await linked(each)
  }
  const path = `/api/v1/namespaces/${namespace}`
  const written = (await statusWrites(credential)).length
  const { resourceVersion } = (await lab.readCredential(credential)).metadata
  for (let round = 1; round <= 3; round++) {
    // Each of these wakes a loop: the namespace is looked at again, the credential too.
    await lab.patch(path, { metadata: { labels: { round: `${round}` } } })
    await lab.client.delete(`${path}/secrets/regcred`)
    await eventually(() => lab.secret(namespace))
    await lab.patch(`${path}/serviceaccounts/default`, { imagePullSecrets: [] })
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  }
  const marker = await lab.namespace('same-marker')
  await lab.patchCredential(rival, { namespaces: { include: [namespace, marker], optIn: true } })
  await eventually(async () => expect((await lab.ready(rival)).status?.namespaces?.summary).toBe('2/2'))
  expect((await lab.readCredential(credential)).metadata.resourceVersion).toBe(resourceVersion)
  expect(await statusWrites(credential)).toHaveLength(written)
})

test('what others write into a status is gone again, and what they take out of it is back', async () => {
  const source = await lab.source('forged', login('forged'))
  const namespace = await lab.namespace('forged')
  const credential = await lab.credential('forged', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  const { status } = await linked(credential)
  const path = `${credentialsPath}/${credential}/status`
  const broken = {
    type: 'Broken',
    status: 'True',
    reason: 'Forged',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const forgeries = [
    { credential: { expiresAt: '2030-01-01T00:00:00Z' } },
    { conditions: [...(status?.conditions ?? []), broken] },
    { failures: [{ namespace, reason: 'Forged', message: '' }] },
    { namespaces: null, observedGeneration: 0, failures: [] },
  ]
  for (const forgery of forgeries) {
    await lab.patch(path, { status: forgery })
    await eventually(async () => expect((await lab.readForged(credential)).status).toEqual(status))
  }
})

test('what goes wrong again and again is one Event with a count', async () => {
  const source = await lab.source('again', login('again'))
  const namespace = await lab.namespace('again')
  await makeForeign(namespace)
  const credential = await lab.credential('again', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'NamespacesFailed' }))
  })
  type Event = KubeObject & { type: string; reason: string; note: string; series?: { count: number } }
  const eventsOf = async (name: string, within: string) => {
    const path = `/apis/events.k8s.io/v1/namespaces/${within}/events`
    const { items } = await lab.client.get<KubeList<Event & { regarding: { name: string } }>>(path)
    return (items ?? []).filter(({ regarding }) => regarding.name === name)
  }
  for (let round = 1; round <= 4; round++) {
    await lab.patch(`/api/v1/namespaces/${namespace}/secrets/regcred`, { stringData: { round: `${round}` } })
    await lab.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels: { round: `${round}` } } })
  }
  const about: [string, string][] = [
    [credential, 'default'],
    ['regcred', namespace],
  ]
  for (const [name, within] of about) {
    const [event, ...others] = await eventually(async () => {
      const events = (await eventsOf(name, within)).filter(({ reason }) => reason !== 'NamespacesFailed')
      return (events[0]?.series?.count ?? 0) > 1 && events
    })
    expect(others).toEqual([])
    expect(event).toMatchObject({ type: 'Warning', reason: 'NotOwned', note: expect.stringContaining('regcred') })
  }
  const writes = (await requestsSince(lab.cluster, start)).filter(({ resource }) => resource === 'events')
  expect(writes.filter((each) => each.namespace === namespace && each.verb === 'create').map(describe)).toHaveLength(1)
})
