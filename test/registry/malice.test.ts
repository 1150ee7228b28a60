/** Registries that want a login to travel, or the operator to wait, read or connect where it should not. */
import type { lookup } from 'node:dns'
import { afterEach, expect, test } from '@jest/globals'
import { Outbound } from '../../src/http/outbound.ts'
import type { Verification } from '../../src/model/verification.ts'
import { Verifier } from '../../src/registry/verify.ts'
import { servers } from '../http/servers.ts'
import { type Answer, bearer, entry, type Script, scripted } from './scripted.ts'

const server = servers()
const open: Outbound[] = []
afterEach(async () => {
  for (const outbound of open.splice(0)) await outbound.close()
})

/** All names of this world are on loopback. */
const everyName = ((_: string, __: unknown, done: (error: null, addresses: object[]) => void) =>
  done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as typeof lookup

const port = (host: string) => host.split(':')[1]

/** Asks `registry.example`, which answers as the script says, given the origin of `evil.test`. */
async function attack(script: (evil: string) => Script, insecureHosts = ['registry.example', 'evil.test']) {
  const evil = await scripted(server, () => ({ status: 200, body: { token: 'any' } }))
  const registry = await scripted(server, script(`http://evil.test:${port(evil.host)}`))
  const host = `registry.example:${port(registry.host)}`
  const outbound = new Outbound({ caFiles: [], insecureHosts, env: {} }, everyName)
  open.push(outbound)
  const entries = new Map([[host, entry('user:secret')]])
  const { signal } = new AbortController()
  const result: Verification = await new Verifier(outbound.fetch).verify(entries, `${host}/team/app:1`, signal)
  expect(result.message).not.toContain('secret')
  return { ...result, evil: evil.asked, registry: registry.asked }
}

const redirect = (location: string): Answer => ({ status: 307, headers: { location } })

/** A registry with its own token server; `odd` may answer in its place. */
const honest =
  (odd: (line: string) => Answer | undefined): Script =>
  ({ line, token }, origin) => {
    const realm = `http://auth.registry.example:${new URL(origin).port}/token`
    if (line === 'GET /token') return odd(line) ?? { status: 200, body: { token: 'any' } }
    return token === undefined ? bearer(realm) : (odd(line) ?? { status: 200 })
  }

test.each<[string, string, (evil: string) => Script]>([
  ['a realm elsewhere', 'RealmNotTrusted', (evil) => () => bearer(`${evil}/token`)],
  [
    'a second realm elsewhere',
    'RealmNotTrusted',
    (evil) => () => bearer(`${evil}/token",realm="http://registry.example/`),
  ],
  ['a realm with a user', 'RealmNotTrusted', () => () => bearer('http://registry.example@evil.test/token')],
  [
    'a realm that looks like its own',
    'RealmNotTrusted',
    (evil) => () => bearer(evil.replace('evil', 'registry.example.evil')),
  ],
  ['a realm on loopback', 'RealmNotTrusted', (evil) => () => bearer(evil.replace('evil.test', '127.0.0.1'))],
  ['a realm at a metadata server', 'RealmNotTrusted', () => () => bearer('http://169.254.169.254/latest')],
  ['a redirect of the API', 'RegistryUnreachable', (evil) => () => redirect(`${evil}/v2/`)],
  [
    'a redirect of the token server',
    'RegistryUnreachable',
    (evil) => honest((line) => (line === 'GET /token' ? redirect(evil) : undefined)),
  ],
  [
    'a redirect of the manifest',
    'RegistryUnreachable',
    (evil) => honest((line) => (line.startsWith('HEAD') ? redirect(evil) : undefined)),
  ],
])('%s sends nothing there: %s', async (_, reason, script) => {
  const { evil, ...result } = await attack(script, ['registry.example', 'auth.registry.example', 'evil.test'])
  expect(result).toMatchObject({ verdict: 'Unknown', reason })
  expect(evil).toEqual([])
})

test('a redirect after the login was asked for by Basic sends nothing there', async () => {
  const script =
    (evil: string): Script =>
    ({ login }) =>
      login === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
        : redirect(`${evil}/v2/`)
  const { evil, registry, reason } = await attack(script)
  expect([reason, registry.map(({ login }) => login)]).toEqual(['RegistryUnreachable', [undefined, 'user:secret']])
  expect(evil).toEqual([])
})

test('a token server of its own domain without TLS gets nothing', async () => {
  const { registry, ...result } = await attack(() => honest(() => undefined), ['registry.example'])
  expect(result).toMatchObject({ verdict: 'Unknown', reason: 'RealmNotTrusted' })
  expect(result.message).toContain('--insecure-host')
  expect(registry.map(({ line }) => line)).toEqual(['GET /v2/'])
})

test('a registry without TLS that nobody named gets nothing, and the cure is told', async () => {
  const { registry, ...result } = await attack(() => () => ({ status: 200 }), [])
  expect(result).toMatchObject({ verdict: 'Unknown', reason: 'RegistryUnreachable' })
  expect(result.message).toContain('--insecure-host')
  expect(registry).toEqual([])
})

test('an answer of 10 MiB and one without end are cut off', async () => {
  const [large, endless] = await Promise.all([
    attack(() => () => ({ status: 401, body: 'x'.repeat(10_485_760) })),
    attack(() => () => undefined),
  ])
  expect([large.reason, large.message]).toEqual(['RegistryUnreachable', expect.stringContaining('more than 1 MiB')])
  expect([endless.reason, endless.message]).toEqual(['RegistryUnreachable', expect.stringContaining('in time')])
})

test.each(['Bearer '.repeat(1_000), `Bearer realm="${'\\'.repeat(8_000)}`, 'Bearer realm="\u00ff', ',,,=,="",Bearer'])(
  'a garbage challenge is none: %#',
  async (header) => {
    const { verdict, evil } = await attack(() => () => ({ status: 401, headers: { 'www-authenticate': header } }))
    expect([verdict, evil]).toEqual(['Unknown', []])
  },
)
