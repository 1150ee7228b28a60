/** The registry, its token server and the push are what later tests stand on: here they have to answer truly. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Agent, fetch, type Response } from 'undici'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { rootCause } from '../cluster/errors.ts'
import { scripts } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { pushImage } from './push.ts'
import { type RegistryOptions, startRegistry } from './registry.ts'
import { startTokenServer, type TokenServer, type TokenServerOptions } from './token-server.ts'

const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})

async function registryWith(options: RegistryOptions) {
  const registry = await startRegistry(options)
  running.push(registry.stop)
  return registry
}

async function tokenServerWith(options: TokenServerOptions) {
  const server = await startTokenServer(options)
  running.push(server.stop)
  return server
}

/** A client that trusts this authority besides those that everybody trusts. */
function clientThatTrusts(ca: string): Agent {
  const agent = new Agent({ connect: { ca } })
  running.push(() => agent.close())
  return agent
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const ACCEPT = 'application/vnd.oci.image.manifest.v1+json'
const head = (url: string, image: string, headers: Record<string, string> = {}, dispatcher?: Agent) =>
  fetch(`${url}/v2/${image.replace(':', '/manifests/')}`, {
    method: 'HEAD',
    headers: { accept: ACCEPT, ...headers },
    ...(dispatcher && { dispatcher }),
  })

/** Goes to where the challenge points, as a client does, and gives the answer. */
function answerChallenge(refusal: Response, headers: Record<string, string>, dispatcher?: Agent) {
  const challenge = refusal.headers.get('www-authenticate') ?? ''
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  )
  const url = new URL(parameters.realm)
  for (const name of ['service', 'scope']) {
    if (parameters[name] !== undefined) url.searchParams.set(name, parameters[name])
  }
  return fetch(url, { headers, ...(dispatcher && { dispatcher }) })
}

const tokenIn = async (answer: Response): Promise<string> => ((await answer.json()) as { token: string }).token

describe('without authentication', () => {
  test('anybody pushes and finds what was pushed', async () => {
    const { url } = await registryWith({})
    const digest = await pushImage(url, 'team/app', '1')
    const found = await head(url, 'team/app:1')
    expect([found.status, found.headers.get('docker-content-digest')]).toEqual([200, digest])
    expect((await head(url, 'team/app:2')).status).toBe(404)
  })
})

describe('with htpasswd', () => {
  test('a right password pushes and finds, a wrong one is refused', async () => {
    const { url } = await registryWith({ auth: { htpasswd: { alice: 's3cret', bob: 'other' } } })
    await pushImage(url, 'team/app', '1', basic('alice', 's3cret'))
    expect((await head(url, 'team/app:1', basic('bob', 'other'))).status).toBe(200)
    const refusals = await Promise.all([head(url, 'team/app:1'), head(url, 'team/app:1', basic('alice', 'other'))])
    for (const refusal of refusals) {
      expect([refusal.status, refusal.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="basic-realm"'])
    }
    await expect(pushImage(url, 'team/app', '2', basic('eve', 's3cret'))).rejects.toThrow(
      'POST /v2/team/app/blobs/uploads/ is answered with 401 instead of 202',
    )
  })

  test('a changed password counts from the next request on', async () => {
    const { url, setHtpasswd } = await registryWith({ auth: { htpasswd: { alice: 'first' } } })
    const statusWith = async (password: string) => (await head(url, 'team/app:1', basic('alice', password))).status
    for (const [before, after] of [
      ['first', 'second'],
      ['second', 'third'],
      ['third', 'fourth'],
    ] as const) {
      expect([await statusWith(before), await statusWith(after)]).toEqual([404, 401])
      await setHtpasswd({ alice: after })
      expect([await statusWith(before), await statusWith(after)]).toEqual([401, 404])
    }
  })
})

test('what it was asked, and by whom, is told where that is wanted', async () => {
  const { url, requests } = await registryWith({ auth: { htpasswd: { alice: 's3cret' } }, accessLog: true })
  await head(url, 'team/app:1', { ...basic('alice', 's3cret'), 'user-agent': 'test "of" it' })
  await head(url, 'team/app:2', { 'user-agent': 'other' })
  expect(await requests()).toEqual([
    { method: 'HEAD', path: '/v2/team/app/manifests/1', status: 404, userAgent: expect.stringContaining('of') },
    { method: 'HEAD', path: '/v2/team/app/manifests/2', status: 401, userAgent: 'other' },
  ])
})

describe('with tokens', () => {
  const users = { alice: { password: 's3cret', grants: { 'team/app': ['pull', 'push'], 'team/seen': ['pull'] } } }

  test('challenge, token, push and look-up fit together', async () => {
    const tokens = await tokenServerWith({ users })
    const { url } = await registryWith({ auth: { token: tokens.trust } })

    const toPush = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' })
    const challenge = toPush.headers.get('www-authenticate') ?? ''
    // In which order it names the actions differs from answer to answer: Go walks a map.
    const [, actions = ''] =
      /^Bearer realm="http:\S+\/token",service="test-registry",scope="repository:team\/app:([a-z,]+)"$/.exec(
        challenge,
      ) ?? []
    expect(actions.split(',').sort()).toEqual(['pull', 'push'])
    const pushToken = await tokenIn(await answerChallenge(toPush, basic('alice', 's3cret')))
    const digest = await pushImage(url, 'team/app', '1', bearer(pushToken))

    const toPull = await head(url, 'team/app:1')
    expect(toPull.status).toBe(401)
    const pullToken = await tokenIn(await answerChallenge(toPull, basic('alice', 's3cret')))
    const found = await head(url, 'team/app:1', bearer(pullToken))
    expect([found.status, found.headers.get('docker-content-digest')]).toEqual([200, digest])

    const request = { method: 'GET', user: 'alice', status: 200 }
    expect(tokens.requests).toEqual([
      { ...request, scopes: [`repository:team/app:${actions}`] },
      { ...request, scopes: ['repository:team/app:pull'] },
    ])
  })

  test('a user gets a token only for what is granted', async () => {
    const tokens = await tokenServerWith({ users })
    const { url } = await registryWith({ auth: { token: tokens.trust } })
    for (const [image, status] of [
      ['team/seen:1', 404],
      ['team/other:1', 401],
    ] as const) {
      const token = await tokenIn(await answerChallenge(await head(url, image), basic('alice', 's3cret')))
      expect((await head(url, image, bearer(token))).status).toBe(status)
    }
    const token = await tokenIn(await answerChallenge(await head(url, 'team/seen:1'), basic('alice', 's3cret')))
    await expect(pushImage(url, 'team/seen', '1', bearer(token))).rejects.toThrow('401 instead of 202')
  })

  test('anybody pulls from public repositories, and from no others', async () => {
    const tokens = await tokenServerWith({ users, publicRepositories: ['public/app'] })
    const { url } = await registryWith({ auth: { token: tokens.trust } })
    for (const [image, status] of [
      ['public/app:1', 404],
      ['team/app:1', 401],
    ] as const) {
      const token = await tokenIn(await answerChallenge(await head(url, image), {}))
      expect((await head(url, image, bearer(token))).status).toBe(status)
    }
    expect(tokens.requests.map(({ user, status }) => [user, status])).toEqual([
      [undefined, 200],
      [undefined, 200],
    ])
  })

  test('a registry believes its own token server only', async () => {
    const [ours, foreign] = [await tokenServerWith({ users }), await tokenServerWith({ users })]
    const { url } = await registryWith({ auth: { token: ours.trust } })
    const statusWithTokenOf = async ({ trust }: TokenServer) => {
      const query = new URLSearchParams({ service: trust.service, scope: 'repository:team/app:pull' })
      const token = await tokenIn(await fetch(`${trust.realm}?${query}`, { headers: basic('alice', 's3cret') }))
      return (await head(url, 'team/app:1', bearer(token))).status
    }
    expect([await statusWithTokenOf(ours), await statusWithTokenOf(foreign)]).toEqual([404, 401])
  })
})

describe('with TLS', () => {
  test('who trusts the private authority gets through, all others fail', async () => {
    const authority = createAuthority('a private authority')
    const tls = serverCertificate(authority, 'registry')
    const users = { alice: { password: 's3cret', grants: { 'team/app': ['pull', 'push'] } } }
    const tokens = await tokenServerWith({ users, tls })
    const { url } = await registryWith({ auth: { token: tokens.trust }, tls })
    expect([url, tokens.trust.realm].map((each) => new URL(each).protocol)).toEqual(['https:', 'https:'])

    const client = clientThatTrusts(authority.certificate)
    const toPush = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST', dispatcher: client })
    const token = await tokenIn(await answerChallenge(toPush, basic('alice', 's3cret'), client))
    await pushImage(url, 'team/app', '1', bearer(token), { ca: authority.certificate })
    expect((await head(url, 'team/app:1', bearer(token), client)).status).toBe(200)

    for (const address of [`${url}/v2/`, tokens.trust.realm]) {
      expect(await fetch(address).catch(rootCause)).toContain('unable to verify the first certificate')
    }
  })
})

describe('the end', () => {
  const refused = (url: string) => expect(fetch(url).catch(rootCause)).resolves.toContain('ECONNREFUSED')

  test('a stopped registry leaves neither a process nor a file', async () => {
    const { url, dir, stop } = await startRegistry({ auth: { htpasswd: { alice: 's3cret' } } })
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(['config.yml', 'htpasswd', 'registry.log']))
    await stop()
    expect(existsSync(dir)).toBe(false)
    await refused(`${url}/v2/`)
  })

  const script = scripts()
  test.each(['SIGKILL', 'SIGTERM'] as const)('so does one whose owner got %s', async (signal) => {
    const { child, firstLine } = script(`
      import { startRegistry } from '../parts/registry.ts'
      const { url, dir } = await startRegistry()
      console.log(JSON.stringify({ url, dir }))
      setInterval(() => {}, 1000)
    `)
    const { url, dir } = JSON.parse(await firstLine) as { url: string; dir: string }
    expect((await fetch(`${url}/v2/`)).status).toBe(200)
    child.kill(signal)
    await eventually(async () => {
      expect(existsSync(dir)).toBe(false)
      await refused(`${url}/v2/`)
    })
  })

  test('what the registry has to say is in its folder, and it has nothing to say', async () => {
    const { url, dir } = await registryWith({ auth: { htpasswd: { alice: 's3cret' } } })
    await pushImage(url, 'team/app', '1', basic('alice', 's3cret'))
    expect(readFileSync(join(dir, 'registry.log'), 'utf8')).toBe('')
  })
})
