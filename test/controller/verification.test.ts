/** Nothing is rolled out that its registry refuses, and what it comes to refuse later is told. The registry is a real one. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredential, RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { pushImage } from '../parts/push.ts'
import { startRegistry } from '../parts/registry.ts'
import { startTokenServer } from '../parts/token-server.ts'
import { Lab, type Login } from './lab.ts'
import { LeaseIssuer } from './lease-issuer.ts'

type Registry = Awaited<ReturnType<typeof startRegistry>>
type TokenServer = Awaited<ReturnType<typeof startTokenServer>>

let lab: Lab
let operator: RunningOperator
/** With passwords in a file. */
let registry: Registry
/** With a token server. */
let tokens: TokenServer
let guarded: Registry

const robot = (password: string): Login => ({ username: 'robot', password })

beforeAll(async () => {
  lab = new Lab()
  registry = await startRegistry({ auth: { htpasswd: { robot: 'first-password' } } })
  const grants = { 'team/app': ['pull', 'push'] }
  tokens = await startTokenServer({ users: { robot: { password: 'token-password', grants } } })
  guarded = await startRegistry({ auth: { token: tokens.trust } })
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await Promise.all([registry.stop(), guarded.stop(), tokens.stop()])
  expect(await operator.stop()).toBe(0)
})

async function serve(name: string, host: string, login: Login, verify: RegistryCredentialSpec['verify']) {
  const source = await lab.source(name, { [host]: login })
  const namespace = await lab.namespace(name)
  const namespaces = { include: [namespace], optIn: true }
  const credential = await lab.credential(name, { source: { secretRef: { name: source } }, namespaces, verify })
  return { source, namespace, credential }
}

/** Type → status and reason. */
function conditionsOf({ status }: RegistryCredential): Record<string, [string, string]> {
  return Object.fromEntries((status?.conditions ?? []).map(({ type, status, reason }) => [type, [status, reason]]))
}

async function messageOf(credential: string, type: string): Promise<string> {
  const { status } = await lab.readCredential(credential)
  return status?.conditions?.find((condition) => condition.type === type)?.message ?? ''
}

const refused = {
  Ready: ['False', 'VerificationFailed'],
  Stalled: ['True', 'VerificationFailed'],
  Verified: ['False', 'Refused'],
}

test('a login that the registry takes is rolled out; one that it refuses is not, and the last good one stays', async () => {
  const { host } = registry
  const { source, namespace, credential } = await serve('enforced', host, robot('first-password'), {
    policy: 'Enforce',
  })
  expect(conditionsOf(await lab.condition(credential, 'Verified', 'True'))).toMatchObject({
    Verified: ['True', 'Accepted'],
  })
  expect(conditionsOf(await lab.ready(credential)).Ready).toEqual(['True', 'Succeeded'])
  expect((await lab.readCredential(credential)).status?.credential?.verifiedAt).toBeDefined()

  await lab.rotate(source, { [host]: robot('mistyped-password') })
  expect(conditionsOf(await lab.condition(credential, 'Stalled', 'True'))).toEqual(refused)
  expect(await messageOf(credential, 'Verified')).toContain(
    `${host} refuses the login for ${host}; renew it at its source`,
  )
  expect(await lab.logins(namespace)).toEqual({ [host]: robot('first-password') })
  const event = await eventually(
    async () => (await lab.events(credential)).find(({ reason }) => reason === 'VerificationFailed') ?? null,
  )
  expect(event.type).toBe('Warning')

  await registry.setHtpasswd({ robot: 'second-password' })
  await lab.rotate(source, { [host]: robot('second-password') })
  await lab.condition(credential, 'Verified', 'True')
  await eventually(async () => expect(await lab.logins(namespace)).toEqual({ [host]: robot('second-password') }))
  await lab.ready(credential)
  expect(await operator.metrics()).toMatch(/regcred_verifications_total\{verdict="Invalid"\} [1-9]/)

  // What is good is revoked at the registry: told, and not touched.
  await registry.setHtpasswd({ robot: 'third-password' })
  await lab.cluster.kubectl('annotate', 'rcred', credential, 'regcred.dev/refresh=now')
  const revoked = conditionsOf(await lab.condition(credential, 'Verified', 'False'))
  expect(revoked).toEqual({ Ready: ['True', 'Succeeded'], Verified: ['False', 'Refused'] })
  expect(await lab.logins(namespace)).toEqual({ [host]: robot('second-password') })
  expect(operator.logs()).not.toMatch(/(first|second|third|mistyped)-password/)
  expect(JSON.stringify(await lab.readCredential(credential))).not.toMatch(/(first|second|third|mistyped)-password/)
})

test('a first login that is refused reaches no namespace, and does when it is right', async () => {
  const { host } = guarded
  const { source, namespace, credential } = await serve('first', host, robot('wrong-password'), { policy: 'Enforce' })
  expect(conditionsOf(await lab.condition(credential, 'Stalled', 'True'))).toEqual(refused)
  expect(await lab.secret(namespace)).toBeNull()
  expect(await lab.references(namespace)).toEqual([])
  await lab.rotate(source, { [host]: robot('token-password') })
  await lab.ready(credential)
  expect(await lab.logins(namespace)).toEqual({ [host]: robot('token-password') })
})

test('with Warn a login that is refused is rolled out and told about', async () => {
  const { host } = guarded
  const { namespace, credential } = await serve('warned', host, robot('wrong-password'), { policy: 'Warn' })
  const { status } = await lab.condition(credential, 'Verified', 'False')
  expect(status?.conditions?.map(({ type }) => type)).not.toContain('Stalled')
  await lab.ready(credential)
  expect(await lab.logins(namespace)).toEqual({ [host]: robot('wrong-password') })
})

test('that a login is held back stays told when its issuer then fails', async () => {
  const issuer = await LeaseIssuer.start(lab, 'held-back')
  const namespace = await lab.namespace('held-back')
  const credential = await lab.credential('held-back', {
    source: issuer.source,
    registries: [registry.host],
    namespaces: { include: [namespace], optIn: true },
    verify: { policy: 'Warn' },
  })
  await lab.ready(credential)
  const first = { [registry.host]: issuer.latest }
  const refresh = async (value: string) =>
    await lab.cluster.kubectl('annotate', '--overwrite', 'rcred', credential, `regcred.dev/refresh=${value}`)
  await lab.patchCredential(credential, { verify: { policy: 'Enforce' } })
  await refresh('once')
  expect(conditionsOf(await lab.condition(credential, 'Stalled', 'True'))).toEqual(refused)
  issuer.fail(500)
  await refresh('again')
  const failing = conditionsOf(await lab.condition(credential, 'RefreshFailing', 'True'))
  expect(failing).toEqual({ ...refused, RefreshFailing: ['True', 'IssuerUnavailable'] })
  expect(await lab.logins(namespace)).toEqual(first)
  await issuer.server.stop()
})

test('with an image, a login that may not pull it is held back until it may, or another is named', async () => {
  const { host } = guarded
  const basic = Buffer.from('robot:token-password').toString('base64')
  const { realm, service } = tokens.trust
  const scope = 'repository:team/app:pull,push'
  const answer = await fetch(`${realm}?${new URLSearchParams({ service, scope })}`, {
    headers: { authorization: `Basic ${basic}` },
  })
  const { token } = (await answer.json()) as { token: string }
  await pushImage(guarded.url, 'team/app', '1.0', { authorization: `Bearer ${token}` })

  const verify = { policy: 'Enforce', image: `${host}/other/app:1.0` } as const
  const { namespace, credential } = await serve('imaged', host, robot('token-password'), verify)
  expect(conditionsOf(await lab.condition(credential, 'Stalled', 'True')).Verified).toEqual(['False', 'PullDenied'])
  expect(await lab.secret(namespace)).toBeNull()
  await lab.patchCredential(credential, { verify: { image: `${host}/team/app:1.0` } })
  expect(conditionsOf(await lab.condition(credential, 'Verified', 'True')).Verified).toEqual(['True', 'PullAllowed'])
  await lab.ready(credential)
  expect(await lab.logins(namespace)).toEqual({ [host]: robot('token-password') })
})

test('a registry that cannot be reached holds nothing back', async () => {
  const gone = await startRegistry()
  await gone.stop()
  const { namespace, credential } = await serve('unreachable', gone.host, robot('any-password'), { policy: 'Enforce' })
  await lab.ready(credential)
  expect(conditionsOf(await lab.readCredential(credential)).Verified).toEqual(['Unknown', 'RegistryUnreachable'])
  expect(await lab.logins(namespace)).toEqual({ [gone.host]: robot('any-password') })
})
