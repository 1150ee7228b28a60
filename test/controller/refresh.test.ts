/**
 * Logins that end: had anew ahead of their end, taken out when they have ended, not asked for twice. The issuer is on
 * loopback, and gives logins of some seconds where a real one gives hours.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { type EventuallyOptions, eventually } from '../cluster/wait.ts'
import { Lab } from './lab.ts'
import { LeaseIssuer } from './lease-issuer.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'

const registry = 'registry.example.com'
/** Seconds: short, and long enough to be renewed twice before the end. */
const shortLife = 26

let lab: Lab
let operator: Restarts
const issuers: LeaseIssuer[] = []

beforeAll(async () => {
  lab = new Lab()
  operator = new Restarts()
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await Promise.all(issuers.map(({ server }) => server.stop()))
  await operator.stop()
})

/** An issuer, and a credential of its logins for one namespace. */
async function serve(name: string, seconds: number, spec: Partial<RegistryCredentialSpec> = {}) {
  const issuer = await LeaseIssuer.start(lab, name)
  issuers.push(issuer)
  issuer.seconds = seconds
  const namespace = await lab.namespace(name)
  const credential = await lab.credential(name, {
    source: issuer.source,
    registries: [registry],
    namespaces: { include: [namespace], optIn: true },
    ...spec,
  })
  return { issuer, namespace, credential }
}

/** Waits until what was issued last is in the namespace. */
async function arrived(issuer: LeaseIssuer, namespace: string, options: EventuallyOptions = {}): Promise<void> {
  await eventually(async () => {
    expect(issuer.latest).toBeDefined()
    expect(await lab.logins(namespace)).toEqual({ [registry]: issuer.latest })
  }, options)
}

async function conditionOf(credential: string, type: string) {
  const { status } = await lab.readCredential(credential)
  return status?.conditions?.find((condition) => condition.type === type)
}

/** A line of the operator's metrics about a credential. */
async function gauge(name: string, credential: string): Promise<number | undefined> {
  const line = (await operator.metrics())
    .split('\n')
    .find((each) => each.startsWith(`${name}{credential="${credential}"`))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

test('a login is renewed ahead of its end, in place, and its lease ended when its successor is everywhere', async () => {
  const { issuer, namespace, credential } = await serve('renewed', shortLife)
  await arrived(issuer, namespace)
  const { uid } = (await lab.secret(namespace))?.metadata ?? {}
  await eventually(() => expect(issuer.leases.size).toBeGreaterThanOrEqual(3), { timeoutMs: 120_000 })
  const times = [...issuer.leases.values()].map(({ at }) => at)
  const gaps = times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / 1000)
  for (const gap of gaps) expect(gap).toBeGreaterThan(9)
  await arrived(issuer, namespace)
  expect((await lab.secret(namespace))?.metadata.uid).toBe(uid)
  await eventually(() => expect(issuer.live).toBe(1))
  const { status } = await lab.ready(credential)
  expect(Date.parse(status?.credential?.nextRefreshAt ?? '')).toBeLessThan(
    Date.parse(status?.credential?.expiresAt ?? ''),
  )
  await lab.deleteCredential(credential)
  await eventually(() => expect(issuer.live).toBe(0))
  await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
})

test('a namespace whose Secret belongs to somebody else keeps no old login good', async () => {
  const foreign = await lab.namespace('foreign')
  const path = `/api/v1/namespaces/${foreign}/secrets`
  await lab.create(path, { metadata: { name: 'regcred' }, stringData: { of: 'somebody else' } })
  const { issuer, namespace, credential } = await serve('hindered', shortLife, { suspend: true })
  await lab.patchCredential(credential, { suspend: false, namespaces: { include: [namespace, foreign], optIn: true } })
  await eventually(() => expect(issuer.leases.size).toBeGreaterThanOrEqual(2), { timeoutMs: 120_000 })
  issuer.seconds = 3600
  await eventually(() => expect(issuer.leases.size).toBeGreaterThanOrEqual(3), { timeoutMs: 120_000 })
  await arrived(issuer, namespace)
  await eventually(() => expect(issuer.live).toBe(1))
  expect((await conditionOf(credential, 'Ready'))?.reason).toBe('NamespacesFailed')
})

test('however many namespaces a login is for, it is asked for once, also when more come later', async () => {
  const label = { [`use.regcred.dev/${lab.unique('shared')}`]: 'true' }
  const { issuer, namespace, credential } = await serve('shared', 3_600)
  const names = Array.from({ length: 20 }, (_, index) => `shared-${index}`)
  const others = await Promise.all(names.map((name) => lab.namespace(name, label)))
  for (const each of [namespace, ...others]) await arrived(issuer, each)
  await eventually(async () => {
    expect((await lab.ready(credential)).status?.namespaces?.summary).toBe('21/21')
  })
  const last = await lab.namespace('shared-last', label)
  await arrived(issuer, last)
  expect(issuer.asked).toBe(1)
})

test('an issuer that fails is told of well before the end, and nothing else changes', async () => {
  const { issuer, namespace, credential } = await serve('failing', 40)
  await arrived(issuer, namespace)
  await lab.ready(credential)
  issuer.fail(503)
  const failing = await lab.condition(credential, 'RefreshFailing', 'True')
  expect(failing.status?.conditions).toContainEqual(
    expect.objectContaining({
      type: 'RefreshFailing',
      reason: 'IssuerUnavailable',
      message: expect.stringMatching(
        /cannot answer now \(503\)\. The login in use ends at .*; renewing it is tried again/,
      ),
    }),
  )
  expect((await conditionOf(credential, 'Ready'))?.status).toBe('True')
  expect(Date.parse(failing.status?.credential?.expiresAt ?? '')).toBeGreaterThan(Date.now())
  await eventually(async () => expect(await gauge('regcred_credential_failing', credential)).toBe(1))
  expect(await gauge('regcred_credential_expiry_timestamp_seconds', credential)).toBeGreaterThan(Date.now() / 1000)
  const { reason, note } = await eventually(
    async () => (await lab.events(credential)).find(({ type }) => type === 'Warning') ?? null,
  )
  expect(reason).toBe('IssuerUnavailable')
  expect(note).toContain('503')
  await arrived(issuer, namespace)
  issuer.heal()
  issuer.seconds = 3600
  await eventually(async () => expect(await conditionOf(credential, 'RefreshFailing')).toBeUndefined())
  await arrived(issuer, namespace)
  await eventually(async () => expect(await gauge('regcred_credential_failing', credential)).toBe(0))
})

test('a login that has ended is taken out, the others stay, and of none is left a valid Secret without entries', async () => {
  const { issuer, namespace, credential } = await serve('ended', 12)
  const source = await lab.source('beside', { 'ghcr.io': { username: 'robot', password: 'beside-the-one' } })
  const namespaces = { include: [namespace], optIn: true }
  const neighbour = await lab.credential('beside', { source: { secretRef: { name: source } }, namespaces })
  const beside = { 'ghcr.io': { username: 'robot', password: 'beside-the-one' } }
  await eventually(async () => {
    expect(issuer.latest).toBeDefined()
    expect(await lab.logins(namespace)).toEqual({ ...beside, [registry]: issuer.latest })
  })
  issuer.fail(500)
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(beside), { timeoutMs: 120_000 })
  const { status } = await lab.condition(credential, 'Ready', 'False')
  expect(status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'Ready', reason: 'Expired', message: expect.stringContaining('ended at') }),
  )
  await eventually(async () => {
    const reasons = (await lab.events(credential)).map(({ reason }) => reason)
    expect(reasons).toContain('Expired')
  })
  expect((await conditionOf(neighbour, 'Ready'))?.status).toBe('True')
  await lab.deleteCredential(neighbour)
  await eventually(async () => expect(await lab.logins(namespace)).toEqual({}))
  const secret = await lab.secret(namespace)
  expect(Buffer.from(secret?.data?.['.dockerconfigjson'] ?? '', 'base64').toString()).toBe('{"auths":{}}')
  expect(await lab.references(namespace)).toEqual(['regcred'])
  issuer.heal()
  issuer.seconds = 3600
  await arrived(issuer, namespace, { timeoutMs: 150_000 }) // so rarely it is asked by now
  await lab.ready(credential)
})

test(
  'what is still good is not asked for again after a restart, and what has ended meanwhile is',
  async () => {
    const lasting = await serve('lasting', 3600)
    const ending = await serve('ending', 3600)
    await arrived(lasting.issuer, lasting.namespace)
    await arrived(ending.issuer, ending.namespace)
    const before = (await lab.secret(lasting.namespace))?.metadata.resourceVersion
    const { asked } = lasting.issuer
    const askedOfOther = ending.issuer.asked
    await operator.whileDown(async () => {
      // The Secret that it proves itself with is another one: the login may be that of somebody else.
      await lab.patch(ending.issuer.secretPath, { stringData: { token: 'hvs.another-token' } })
    })
    await eventually(() => expect(ending.issuer.asked).toBeGreaterThan(askedOfOther))
    await arrived(ending.issuer, ending.namespace)
    await lab.ready(lasting.credential)
    expect(lasting.issuer.asked).toBe(asked)
    expect((await lab.secret(lasting.namespace))?.metadata.resourceVersion).toBe(before)
    await lab.deleteCredential(lasting.credential)
    await eventually(() => expect(lasting.issuer.live).toBe(0))
  },
  RESTART_TIMEOUT_MS,
)

test('the annotation has a login asked for at once, and the status tells which request was answered', async () => {
  const { issuer, namespace, credential } = await serve('asked-for', 3600)
  await arrived(issuer, namespace)
  const ask = async (value: string) =>
    await lab.cluster.kubectl('annotate', '--overwrite', 'rcred', credential, `regcred.dev/refresh=${value}`)
  for (const [index, value] of ['now', '2026-11-24T12:00:00Z'].entries()) {
    await ask(value)
    await eventually(() => expect(issuer.asked).toBe(index + 2))
    await arrived(issuer, namespace)
    await eventually(async () =>
      expect((await lab.readCredential(credential)).status?.credential?.refreshRequest).toBe(value),
    )
  }
  await ask('2026-11-24T12:00:00Z') // the same again is no news
  await lab.patchCredential(credential, { priority: 1 })
  await lab.ready(credential)
  expect(issuer.asked).toBe(3)
})

test('an issuer that asks for patience is given it', async () => {
  const { issuer, credential } = await serve('patience', 3600, { suspend: true })
  issuer.fail(429, { 'retry-after': '6' })
  await lab.patchCredential(credential, { suspend: false })
  await eventually(async () => expect((await conditionOf(credential, 'Ready'))?.reason).toBe('RateLimited'))
  issuer.heal()
  await lab.ready(credential)
  const [refused, next] = issuer.server.requests
  expect((next?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThan(6_000)
})

test('a suspended credential is not renewed, and is when it goes on', async () => {
  const { issuer, namespace, credential } = await serve('suspended', 12)
  await arrived(issuer, namespace)
  await lab.patchCredential(credential, { suspend: true })
  await eventually(async () => expect((await conditionOf(credential, 'Ready'))?.reason).toBe('Suspended'))
  const { asked } = issuer
  const other = await serve('not-suspended', 12)
  await eventually(() => expect(other.issuer.asked).toBeGreaterThan(1))
  expect(issuer.asked).toBe(asked)
  issuer.seconds = 3600
  await lab.patchCredential(credential, { suspend: false })
  await eventually(() => expect(issuer.asked).toBe(asked + 1))
  await arrived(issuer, namespace)
})

test('500 credentials that come at once ask their issuer four at a time', async () => {
  const issuer = await LeaseIssuer.start(lab, 'crowd')
  issuers.push(issuer)
  const names = Array.from({ length: 500 }, (_, index) => `crowd-${index}`)
  const spec = { source: issuer.source, registries: [registry], secretName: 'regcred' }
  await Promise.all(names.map((name) => lab.credential(name, spec)))
  await eventually(() => expect(issuer.leases.size).toBe(500), { timeoutMs: 300_000 })
  expect(issuer.server.concurrency.most).toBeLessThanOrEqual(4)
  expect(issuer.asked).toBe(500)
  await Promise.all(names.map((name) => lab.deleteCredential(lab.unique(name))))
  await eventually(
    async () => {
      const { items } = await lab.client.get<{ items?: { metadata: { name: string } }[] }>(credentialsPath)
      expect((items ?? []).filter(({ metadata }) => metadata.name.startsWith('crowd-'))).toEqual([])
    },
    { timeoutMs: 300_000 },
  )
  expect(issuer.live).toBe(0)
}, 900_000)
