/** What is particular to Vault: its engines, whose token is used and for how long, and which leases are ended. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Handle } from '../../src/model/login.ts'
import type { SpecOf } from '../../src/sources/source.ts'
import { issue, type Material, retire } from '../../src/sources/sources.ts'
import { leaseHandle } from '../../src/sources/vault-leases.ts'
import { openClient } from '../kube/setup.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'
import { LoopbackVault } from './loopback-vault.ts'

type Spec = SpecOf<'vault'>

const registry = 'registry.example.com'
const kvPath = 'secret/data/registry/acme'
const credsPath = 'artifactory/creds/puller'
const login = { username: 'acme', password: 'kept-in-vault' }
const never = new AbortController().signal

let lab: SourceLab
let vault: LoopbackVault
let server: IssuerServer
let secrets = 0

beforeAll(async () => {
  lab = await SourceLab.open()
  for (const name of ['vault-reader', 'stranger']) await lab.serviceAccount(name)
})

beforeEach(async () => {
  vault = new LoopbackVault(openClient())
  server = await lab.issuer(vault.answer)
})

/** For a token of a new Secret that may use these paths. */
async function withToken(paths: readonly string[], rest: Partial<Spec> = {}, ttl = 0): Promise<Spec> {
  const name = `vault-${++secrets}`
  await lab.secret(name, { token: `${vault.token({ paths, ttl })}\n` })
  return { ...base(), secretRef: { name }, ...rest }
}

/** For a role that may use these paths. */
function withRole(paths: readonly string[], rest: Partial<Spec> = {}, ttl = 3600): Spec {
  vault.roles.set('kubernetes/puller', { serviceAccount: 'vault-reader', audience: 'vault', paths, ttl })
  const kubernetes = { role: 'puller', serviceAccountName: 'vault-reader', mount: 'kubernetes', audience: 'vault' }
  return { ...base(), kubernetes, ...rest }
}

function base(): Spec {
  const keys = { username: 'username', password: 'password' }
  return { url: server.url, mount: 'secret', path: 'registry/acme', engine: 'KVv2', keys }
}

const dynamic: Partial<Spec> = { engine: 'Dynamic', mount: 'artifactory', path: 'creds/puller' }

function makesLogins(seconds: number, data: () => Record<string, unknown> = () => login): void {
  vault.kept.set(credsPath, { login: () => ({ data: data(), seconds }) })
}

function ask(spec: Spec, handle?: Handle): Promise<Material> {
  return issue({ vault: spec }, lab.context({ registries: [registry], handle }), never)
}

async function given(spec: Spec): Promise<unknown> {
  return Object.fromEntries((await ask(spec)).entries)
}

function says(reason: string, ...parts: string[]) {
  return { name: 'SourceProblem', reason, message: expect.stringMatching(parts.map(literally).join('.*')) }
}

function literally(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}

/** Seconds from now; what is read of it is never later than what the server meant. */
function secondsUntil(date: Date | undefined): number {
  return (Number(date) - Date.now()) / 1000
}

describe('what is kept is', () => {
  test('the newest version of a KVv2 secret, which does not say when it ends', async () => {
    const spec = await withToken([kvPath])
    vault.put(kvPath, { username: 'acme', password: 'the-first-one' })
    expect(await given(spec)).toEqual({ [registry]: { username: 'acme', password: 'the-first-one' } })
    vault.put(kvPath, login)
    const { entries, expiresAt, handle } = await ask(spec)
    expect(entries).toEqual(new Map([[registry, login]]))
    expect([expiresAt, handle]).toEqual([undefined, undefined])
  })

  test('a KVv1 secret, under keys of other names, in a namespace and below a path of the server', async () => {
    const { answer } = vault
    server.answer = (request) => answer({ ...request, path: request.path.replace(/^\/behind\/a\/proxy/, '') })
    vault.namespace = 'admin/registry'
    vault.kept.set('kv/hub', { v1: { user: 'acme', pat: 'kept-in-vault' } })
    const keys = { username: 'user', password: 'pat' }
    const place = { url: `${server.url}/behind/a/proxy/`, mount: 'kv', path: 'hub', namespace: 'admin/registry' }
    const spec = await withToken(['kv/hub'], { engine: 'KVv1', keys, ...place })
    expect(await given(spec)).toEqual({ [registry]: login })
  })

  test.each([
    ['as text', JSON.stringify],
    ['as an object', (config: object) => config],
  ])('a docker config %s, before any login beside it', async (_, kept) => {
    const config = { auths: { 'registry.example.com': login, 'ghcr.io': { auth: btoa('other:one-more-secret') } } }
    vault.put(kvPath, { '.dockerconfigjson': kept(config), username: 'nobody', password: 'not this one' })
    expect(await given(await withToken([kvPath]))).toEqual({ [registry]: login })
  })

  test.each([
    ['a number as password', { ...login, password: 12345678 }, 'its key password is not a text; write it as one'],
    ['no user name', { password: 'kept-in-vault' }, 'it has no key username; write it there, or name another by'],
    ['a docker config that is no JSON', { '.dockerconfigjson': '{"kept-in-vault' }, '.dockerconfigjson cannot be read'],
    ['a docker config that is null', { '.dockerconfigjson': null }, '.dockerconfigjson has no entries under auths'],
  ])('refused where it has %s, in words that do not quote it', async (_, data, words) => {
    vault.put(kvPath, data)
    const asked = ask(await withToken([kvPath]))
    await expect(asked).rejects.toMatchObject(says('SourceInvalid', 'What source.vault gives cannot be used: ', words))
    await expect(asked).rejects.not.toMatchObject({ message: expect.stringMatching(/12345678|kept-in-vault/) })
  })

  test('missed where there is nothing, or a deleted version', async () => {
    const spec = await withToken([kvPath])
    await expect(ask(spec)).rejects.toMatchObject({
      ...says('SourceNotFound', `has nothing at ${kvPath}`, 'source.vault.mount, path, engine or namespace'),
      retryAfterSeconds: 30,
    })
    vault.put(kvPath, login).deleted = true
    const deleted = says('SourceNotFound', 'newest version of secret/registry/acme', 'is deleted; undelete it')
    await expect(ask(spec)).rejects.toMatchObject(deleted)
  })
})

describe('the Kubernetes method', () => {
  test('logs in with a token that the cluster vouches for, and ends the token of Vault after use', async () => {
    vault.put(kvPath, login)
    expect(await given(withRole([kvPath]))).toEqual({ [registry]: login })
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/v1/auth/kubernetes/login',
      `/v1/${kvPath}`,
      '/v1/auth/token/revoke-self',
    ])
    expect(vault.tokens.size).toBe(0)
    expect(lab.concealed).toContain(server.requests[1]?.headers['x-vault-token'])
  })

  test('ends the token of Vault also when nothing can be had with it', async () => {
    await expect(ask(withRole([]))).rejects.toMatchObject(
      says('IssuerRefused', 'refuses (403)', `check that the role puller may read ${kvPath}.`),
    )
    expect(vault.tokens.size).toBe(0)
  })

  test.each([
    ['the audience is another', { audience: 'https://vault.example.com' }, '403'],
    ['the ServiceAccount is another', { serviceAccountName: 'stranger' }, '403'],
    ['the role is not there', { role: 'pusher' }, '400'],
    ['the method is mounted elsewhere', { mount: 'kubernetes-2' }, '400'],
  ])('says what to look at when %s', async (_, other, status) => {
    const spec = withRole([kvPath])
    const kubernetes = { ...(spec.kubernetes as NonNullable<Spec['kubernetes']>), ...other }
    const { mount, role, serviceAccountName, audience } = kubernetes
    const cure = [`check that auth/${mount} `, `role ${role}, `, `ServiceAccount ${serviceAccountName} `, audience]
    const refused = { ...says('IssuerRefused', `refuses (${status}); `, ...cure), retryAfterSeconds: 60 }
    await expect(ask({ ...spec, kubernetes })).rejects.toMatchObject(refused)
  })
})

describe('a dynamic login ends', () => {
  test('with its lease, whose token is kept', async () => {
    makesLogins(600)
    const { entries, expiresAt, handle } = await ask(withRole([credsPath], dynamic))
    expect(entries).toEqual(new Map([[registry, login]]))
    expect(secondsUntil(expiresAt)).toBeLessThanOrEqual(600)
    expect(secondsUntil(expiresAt)).toBeGreaterThan(0)
    expect([...vault.leases.keys()]).toEqual([handle?.current])
    expect(vault.tokens.size).toBe(1)
  })

  test('with the token it hangs on, where that ends earlier', async () => {
    makesLogins(86_400)
    const byRole = await ask(withRole([credsPath], dynamic, 900))
    const byToken = await ask(await withToken([credsPath], dynamic, 900))
    for (const { expiresAt } of [byRole, byToken]) expect(secondsUntil(expiresAt)).toBeLessThanOrEqual(900)
    expect(secondsUntil((await ask(await withToken([credsPath], dynamic))).expiresAt)).toBeGreaterThan(900)
  })

  test('at once, with its token, when it cannot be used', async () => {
    makesLogins(600, () => ({ username: 'acme' }))
    await expect(ask(withRole([credsPath], dynamic))).rejects.toMatchObject(says('SourceInvalid', 'no key password'))
    expect([vault.leases.size, vault.tokens.size]).toEqual([0, 0])
  })
})

test('an engine that makes no leases is not a dynamic one', async () => {
  vault.kept.set(credsPath, { v1: login })
  const refused = says('SourceInvalid', `gives no lease for ${credsPath}; correct source.vault.engine`)
  await expect(ask(await withToken([credsPath], dynamic))).rejects.toMatchObject(refused)
})

describe('of the leases that a credential has had', () => {
  const paths = [credsPath, 'sys/leases/revoke']
  const end = (spec: Spec, last: Handle | undefined, keep: Handle | undefined) =>
    retire({ vault: spec }, keep, lab.context({ handle: last }), never)

  beforeEach(() => makesLogins(600))

  test('those before the one in use are ended when that is rolled out', async () => {
    const spec = withRole(paths, dynamic)
    const first = await ask(spec)
    const second = await ask(spec, first.handle)
    const third = await ask(spec, second.handle)
    const foreign = await ask(spec)
    await end(spec, third.handle, third.handle)
    expect([...vault.leases.keys()]).toEqual([third.handle?.current, foreign.handle?.current])
    await end(spec, third.handle, third.handle) // they are unknown there now
    expect(vault.leases.size).toBe(2)
  })

  test('the newest is ended, and not the one in use, when the newest was not rolled out', async () => {
    const spec = await withToken(paths, dynamic)
    const used = await ask(spec)
    const refused = await ask(spec, used.handle)
    await end(spec, refused.handle, used.handle)
    expect([...vault.leases.keys()]).toEqual([used.handle?.current])
  })

  test('all are ended when the credential goes, and the token for that as well', async () => {
    const first = await ask(withRole(paths, dynamic))
    const second = await ask(withRole(paths, dynamic), first.handle)
    const before = vault.tokens.size
    await end(withRole(paths, dynamic), second.handle, undefined)
    expect([vault.leases.size, vault.tokens.size]).toEqual([0, before])
  })

  test('none is asked for when there is none to end', async () => {
    const spec = await withToken(paths, dynamic)
    const { handle } = await ask(spec)
    const ended = leaseHandle('artifactory/creds/puller/old', new Date(Date.now() - 1_000), undefined, 0)
    const before = server.requests.length
    await end(spec, undefined, undefined)
    await end(spec, handle, handle)
    await end(spec, ended, undefined)
    expect(server.requests).toHaveLength(before)
  })

  test('it is said which right is missing to end them', async () => {
    const { handle } = await ask(await withToken(paths, dynamic))
    await expect(end(await withToken([credsPath], dynamic), handle, undefined)).rejects.toMatchObject(
      says('IssuerRefused', 'may update sys/leases/revoke.'),
    )
  })

  test('the last 64 that live are remembered', () => {
    let handle: Handle | undefined
    for (let i = 0; i < 70; i++)
      handle = leaseHandle(`a/${i}`, new Date(i < 68 ? 2_000 : 1_000), handle, i < 69 ? 0 : 1_500)
    expect(Object.keys(handle ?? {})).toHaveLength(63 + 2)
    expect(handle).toMatchObject({ 'a/67': 2, 'a/69': 1, current: 'a/69' })
    expect(handle).not.toHaveProperty(['a/68'])
  })
})

describe('it is said what to do when', () => {
  test('the token has ended', async () => {
    const spec = await withToken([kvPath])
    for (const token of vault.tokens.keys()) vault.endToken(token)
    const cure = `check that the token of Secret ${spec.secretRef?.name} has not ended and may read ${kvPath}.`
    await expect(ask(spec)).rejects.toMatchObject(says('IssuerRefused', `refuses (403); ${cure}`))
  })

  test('the Secret has no token, or more than that', async () => {
    await lab.secret('without-token', { password: 'x' })
    const without = { ...base(), secretRef: { name: 'without-token' } }
    await expect(ask(without)).rejects.toMatchObject(says('SourceInvalid', 'Secret without-token has no key token'))
    await lab.secret('with-more', { token: 'Token: hvs.example' })
    const more = { ...base(), secretRef: { name: 'with-more' } }
    await expect(ask(more)).rejects.toMatchObject(says('SourceInvalid', 'Secret with-more has more than a token'))
    await expect(ask({ ...base(), secretRef: { name: 'nowhere' } })).rejects.toMatchObject(
      says('SourceNotFound', 'nowhere'),
    )
  })

  test('it is sealed', async () => {
    vault.sealed = true
    const sealed = says('IssuerUnavailable', 'is sealed (503); unseal it.')
    await expect(ask(await withToken([kvPath]))).rejects.toMatchObject(sealed)
  })

  test('its errors are nothing that it says', async () => {
    const errors = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    server.answer = () => ({ status: 503, body: `{"errors":${errors}}` })
    await expect(ask(await withToken([kvPath]))).rejects.toMatchObject(says('IssuerUnavailable', 'cannot answer now'))
  })

  test.each([472, 473])('it is a standby that answers %d', async (status) => {
    server.answer = () => ({ status })
    const standby = says('IssuerUnavailable', `is a standby that does not answer (${status});`, 'source.vault.url')
    await expect(ask(await withToken([kvPath]))).rejects.toMatchObject(standby)
  })
})
