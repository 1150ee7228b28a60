/** Issuers that fail at a bad moment: nothing stays good there that should not, nothing good is lost, nobody else waits. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isNotFound } from '../../src/kube/api-error.ts'
import type { KubeList } from '../../src/kube/objects.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, type Secret } from './lab.ts'
import { LeaseIssuer } from './lease-issuer.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'

const registry = 'registry.example.com'
const secretsPath = `/api/v1/namespaces/${operatorNamespace}/secrets`

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

async function startIssuer(name: string, seconds = 3600): Promise<LeaseIssuer> {
  const issuer = await LeaseIssuer.start(lab, name)
  issuers.push(issuer)
  issuer.seconds = seconds
  return issuer
}

/** A credential of the issuer's logins for one namespace. */
async function serve(name: string, issuer: LeaseIssuer, spec: Partial<RegistryCredentialSpec> = {}) {
  const namespace = await lab.namespace(name)
  const credential = await lab.credential(name, {
    source: issuer.source,
    registries: [registry],
    namespaces: { include: [namespace], optIn: true },
    ...spec,
  })
  return { namespace, credential }
}

async function gone(credential: string): Promise<void> {
  await eventually(async () => {
    const error = await lab.readCredential(credential).catch((error: unknown) => error)
    expect(isNotFound(error)).toBe(true)
  })
}

/** The Secret that keeps the login of a credential, and the login. */
async function kept(uid: string): Promise<{ path: string; login: Record<string, unknown> } | null> {
  const { items } = await lab.client.get<KubeList<Secret>>(secretsPath)
  for (const { metadata, data = {} } of items ?? []) {
    const value = metadata.name.startsWith('regcred-operator-state-') ? data[uid] : undefined
    if (value === undefined) continue
    return { path: `${secretsPath}/${metadata.name}`, login: JSON.parse(Buffer.from(value, 'base64').toString()) }
  }
  return null
}

/** How many reconciles of logins have ended well so far. */
async function reconciles(): Promise<number> {
  const line = /^regcred_reconcile_total\{loop="login",result="success"\} (\d+)$/m.exec(await operator.metrics())
  return Number(line?.[1])
}

test('that an old login cannot be ended keeps the new one from nothing, and is told', async () => {
  const issuer = await startIssuer('unrevoked', 26)
  const { answer } = issuer.server
  issuer.server.answer = (request) => (request.path === '/v1/sys/leases/revoke' ? { status: 403 } : answer(request))
  const { namespace, credential } = await serve('unrevoked', issuer)
  await eventually(() => expect(issuer.leases.size).toBeGreaterThanOrEqual(5), { timeoutMs: 300_000 })
  const events = await lab.events(credential)
  expect(events.map(({ reason }) => reason)).not.toContain('Expired')
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'Warning', reason: 'NotRevoked', note: expect.stringContaining('403') }),
  )
  expect(Object.keys((await lab.logins(namespace)) ?? {})).toEqual([registry])
}, 400_000)

test('a login that is issued while its credential goes is ended too, and not kept', async () => {
  const issuer = await startIssuer('overtaken')
  const { answer } = issuer.server
  const { promise: go, resolve } = Promise.withResolvers<void>()
  issuer.server.answer = async (request) => {
    if (request.path === '/v1/registry/creds/pull') await go
    return await answer(request)
  }
  const { credential } = await serve('overtaken', issuer)
  await eventually(() => expect(issuer.asked).toBe(1))
  const { metadata } = await lab.readCredential(credential)
  await lab.deleteCredential(credential)
  await eventually(async () => {
    const there = await lab.readCredential(credential).catch(() => undefined)
    expect(there?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason ?? 'gone').toMatch(
      /^(Terminating|gone)$/,
    )
  })
  resolve()
  await eventually(() => expect(issuer.leases.size).toBe(1))
  await eventually(() => expect(issuer.live).toBe(0))
  await gone(credential)
  await eventually(async () => expect(await kept(metadata.uid)).toBeNull())
})

test('an issuer that asks for patience is not waited for when another takes its place', async () => {
  const impatient = await startIssuer('busy')
  const other = await startIssuer('free')
  impatient.fail(429, { 'retry-after': '3600' })
  const { credential } = await serve('replaced', impatient)
  await lab.condition(credential, 'Reconciling', 'True')
  await eventually(() => expect(impatient.server.requests.length).toBeGreaterThan(0))
  await lab.patchCredential(credential, { source: other.source })
  await lab.ready(credential)
})

test('what another issuer gave is ended there when the login of the new one is everywhere', async () => {
  const former = await startIssuer('former')
  const latter = await startIssuer('latter')
  const { credential } = await serve('switched', former)
  await lab.ready(credential)
  expect(former.live).toBe(1)
  await lab.patchCredential(credential, { source: latter.source })
  await eventually(() => expect(former.live).toBe(0))
  expect(latter.live).toBe(1)
  const source = await lab.source('switched', { [registry]: { username: 'robot', password: 'by-hand' } })
  await lab.patchCredential(credential, { source: { vault: null, secretRef: { name: source } } })
  await eventually(() => expect(latter.live).toBe(0))
  await lab.ready(credential)
})

test(
  'a login that has ended with its source gone costs nothing until that is back',
  async () => {
    const issuer = await startIssuer('spent')
    const { credential } = await serve('spent', issuer, { verify: { policy: 'Warn' } })
    const { metadata } = await lab.condition(credential, 'Verified', 'Unknown')
    await lab.ready(credential)
    await operator.whileDown(async () => {
      const { path, login } = (await kept(metadata.uid)) ?? { path: '', login: {} }
      const past = new Date(Date.now() - 3_600_000).toISOString()
      const spent = { ...login, expiresAt: past, refreshAt: past, check: { ...Object(login.check), nextAt: past } }
      await lab.patch(path, { data: { [metadata.uid]: Buffer.from(JSON.stringify(spent)).toString('base64') } })
      await lab.client.delete(issuer.secretPath)
    })
    const { status } = await lab.condition(credential, 'Ready', 'False')
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'Expired' }))
    const source = await lab.source('meanwhile', { [registry]: { username: 'robot', password: 'of-another-one' } })
    await lab.ready(await lab.credential('meanwhile', { source: { secretRef: { name: source } } }))
    expect(await reconciles()).toBeLessThan(500)
  },
  RESTART_TIMEOUT_MS,
)

test(
  'an issuer that fails after a restart is asked ever less often, also with old logins to end there',
  async () => {
    const issuer = await startIssuer('restarted')
    const { credential } = await serve('restarted', issuer)
    await lab.ready(credential)
    let before = 0
    await operator.whileDown(async () => {
      await lab.patch(issuer.secretPath, { stringData: { token: 'hvs.another-token' } })
      issuer.fail(500)
      before = issuer.server.requests.length
    })
    await eventually(() => expect(issuer.server.requests.length).toBeGreaterThanOrEqual(before + 6))
    const times = issuer.server.requests.slice(before).map(({ at }) => at)
    // 250 ms, doubled each time, less a fifth at most: 3.2 s before the sixth.
    expect((times[5] ?? 0) - (times[4] ?? 0)).toBeGreaterThan(3_000)
  },
  RESTART_TIMEOUT_MS,
)

test(
  'an end of the operator while an issuer is asked is nobody’s failure',
  async () => {
    const issuer = await startIssuer('interrupted')
    issuer.server.misbehaviour = () => {} // never answers
    const { credential } = await serve('interrupted', issuer)
    await eventually(() => expect(issuer.server.requests.length).toBeGreaterThan(0))
    await operator.whileDown(async () => issuer.heal())
    await lab.ready(credential)
    expect((await lab.events(credential)).filter(({ type }) => type === 'Warning')).toEqual([])
  },
  RESTART_TIMEOUT_MS,
)

test('issuers that do not answer when their credentials go hold up nobody else', async () => {
  const issuer = await startIssuer('silent')
  const names = Array.from({ length: 64 }, (_, index) => `silent-${index}`)
  const spec = { source: issuer.source, registries: [registry], namespaces: { include: ['none-such'], optIn: false } }
  const credentials = await Promise.all(names.map((name) => lab.credential(name, spec)))
  for (const credential of credentials) await lab.ready(credential)
  issuer.server.misbehaviour = () => {}
  await lab.cluster.kubectl('delete', '--wait=false', 'rcred', ...credentials)
  const source = await lab.source('beside', { [registry]: { username: 'robot', password: 'beside-the-silent' } })
  await lab.ready(await lab.credential('beside', { source: { secretRef: { name: source } } }))
  issuer.heal()
  await eventually(
    async () => {
      const { items } = await lab.client.get<KubeList>(credentialsPath)
      expect((items ?? []).filter(({ metadata }) => credentials.includes(metadata.name))).toEqual([])
    },
    { timeoutMs: 300_000 },
  )
  expect(issuer.live).toBe(0)
}, 600_000)
