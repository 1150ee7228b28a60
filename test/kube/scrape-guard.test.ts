/** The guard asks the real API server, through a proxy that counts, and answers itself where a test says so. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { KubeClient } from '../../src/kube/client.ts'
import { scrapeGuard } from '../../src/kube/scrape-guard.ts'
import type { Guard } from '../../src/telemetry/server.ts'
import { eventually } from '../cluster/wait.ts'
import { type HttpProxy, startHttpProxy } from './http-proxy.ts'
import { atEnd, configOf, freshNamespace, type LogLine, manager, openClient, recordingLog } from './setup.ts'

const me = '127.0.0.1'

let proxy: HttpProxy
let client: KubeClient
let namespace: string
let guard: Guard
let lines: LogLine[]
/** Tokens of two ServiceAccounts: the first may read metrics. */
let reader: string
let stranger: string

beforeAll(async () => {
  proxy = await startHttpProxy(configOf())
  atEnd(() => proxy.close())
  client = openClient(configOf(undefined, proxy.url))
  namespace = await freshNamespace(client)
  reader = await tokenOf('reader', namespace)
  stranger = await tokenOf('stranger', namespace)
  await bind({ kind: 'ServiceAccount', name: 'reader', namespace })
  await eventually(async () => expect(await newGuard()(`Bearer ${reader}`, me)).toBe('allowed'))
})

beforeEach(() => {
  proxy.interfere = () => undefined
  guard = newGuard()
  proxy.requests.length = 0
})

afterEach(() => {
  jest.restoreAllMocks()
  expect(JSON.stringify(lines)).not.toContain(reader.slice(-20))
})

function newGuard(): Guard {
  const { log, lines: said } = recordingLog()
  lines = said
  return scrapeGuard(client, log)
}

async function tokenOf(name: string, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await client.create(path, { metadata: { name } }, manager)
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const answer = await client.create<{ status: { token: string } }>(`${path}/${name}/token`, request, manager)
  return answer.status.token
}

async function bind(subject: object): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
  const name = `metrics-${randomBytes(5).toString('hex')}`
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'regcred-metrics-reader' }
  await client.create(path, { metadata: { name }, roleRef, subjects: [subject] }, manager)
  atEnd(() => client.delete(`${path}/${name}`))
}

const ask = (token: string, address = me) => guard(`Bearer ${token}`, address)
const made = () => randomBytes(20).toString('hex')
/** The last words of the paths that were asked. */
const asked = () => proxy.requests.map(({ url }) => url.pathname.split('/').at(-1))

/** Time passes, for what reads the clock; not for timers. */
function pass(seconds: number): void {
  const ahead = performance.now() - now() + seconds * 1000
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
}
const now = performance.now.bind(performance)

describe('the API server decides', () => {
  test('who has the right is allowed', async () => {
    expect(await ask(reader)).toBe('allowed')
    expect(asked()).toEqual(['tokenreviews', 'subjectaccessreviews'])
  })

  test('the scheme may be written in any case', async () => {
    expect(await guard(`bearer  ${reader}`, me)).toBe('allowed')
  })

  test('who has not is forbidden', async () => {
    expect(await ask(stranger)).toBe('forbidden')
  })

  test('whose token is none, or one that was changed, is unauthenticated, and no right is asked for', async () => {
    expect(await ask(made())).toBe('unauthenticated')
    expect(await ask(`${reader.slice(0, -10)}${stranger.slice(-10)}`)).toBe('unauthenticated')
    expect(asked()).toEqual(['tokenreviews', 'tokenreviews'])
  })

  test('groups count', async () => {
    const elsewhere = await freshNamespace(client)
    const name = `system:serviceaccounts:${elsewhere}`
    await bind({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name })
    const other = await tokenOf('other', elsewhere)
    await eventually(async () => expect(await newGuard()(`Bearer ${other}`, me)).toBe('allowed'))
  })
})

test.each<[string, string | undefined]>([
  ['no header', undefined],
  ['an empty one', ''],
  ['a scheme alone', 'Bearer '],
  ['another scheme', 'Basic cm9ib3Q6c2VjcmV0'],
  ['two tokens', 'Bearer one two'],
  ['a token of odd characters', 'Bearer caf\u00e9'],
  ['a token that is too long', `Bearer ${'x'.repeat(8193)}`],
])('%s is unauthenticated, unasked', async (_, header) => {
  expect(await guard(header, me)).toBe('unauthenticated')
  expect(asked()).toEqual([])
})

describe('an answer is remembered', () => {
  const [tokens, rights] = ['tokenreviews', 'subjectaccessreviews']

  test('while it is being asked for: those who come at once wait for one', async () => {
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => ask(reader)))
    expect(new Set(verdicts)).toEqual(new Set(['allowed']))
    expect(asked()).toEqual([tokens, rights])
  })

  test('for half a minute, if it is a yes', async () => {
    await ask(reader)
    pass(25)
    expect(await ask(reader)).toBe('allowed')
    expect(asked()).toHaveLength(2)
    pass(6)
    expect(await ask(reader)).toBe('allowed')
    expect(asked()).toHaveLength(4)
  })

  test('for ten seconds, if it is a no', async () => {
    const token = made()
    await ask(stranger)
    await ask(token)
    pass(5)
    expect(await ask(stranger)).toBe('forbidden')
    expect(await ask(token)).toBe('unauthenticated')
    expect(asked()).toEqual([tokens, rights, tokens])
    pass(6)
    await ask(stranger)
    await ask(token)
    expect(asked()).toEqual([tokens, rights, tokens, tokens, rights, tokens])
  })
})

describe('no answer is no yes', () => {
  const answering = (path: string, code: number, body: string) => {
    proxy.interfere = (_, url) =>
      url.pathname.endsWith(path)
        ? (response) => void response.writeHead(code, { 'content-type': 'application/json' }).end(body)
        : undefined
  }
  const status = (fields: object) => JSON.stringify({ status: fields })
  const forbidden = JSON.stringify({ kind: 'Status', code: 403, reason: 'Forbidden', message: 'hunter2' })

  test.each(['tokenreviews', 'subjectaccessreviews'])('when %s fail, and the next one asks anew', async (path) => {
    for (const [code, body, reason] of [
      [500, 'hunter2', 'the API server answered 500'],
      [403, forbidden, 'config/rbac/metrics.yaml gives it the right'],
      [200, '{"status":{"allowed":tr', 'ERR_INVALID_JSON'],
    ] as const) {
      guard = newGuard()
      answering(path, code, body)
      expect(await ask(reader)).toBe('unknown')
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatchObject({ level: 'error', message: 'who may read /metrics cannot be found out' })
      expect(lines[0]?.fields.reason).toContain(reason)
      expect(JSON.stringify(lines)).not.toContain('hunter2')
      proxy.interfere = () => undefined
      expect(await ask(reader)).toBe('allowed')
    }
  })

  test('when nobody answers; and that is said once a minute', async () => {
    proxy.interfere = () => (response) => void response.destroy()
    expect(await ask(reader)).toBe('unknown')
    expect(await ask(stranger)).toBe('unknown')
    expect(lines).toHaveLength(1)
  })

  test.each([
    ['tokenreviews', {}, 'unauthenticated'],
    ['tokenreviews', { authenticated: false, user: { username: 'admin' } }, 'unauthenticated'],
    ['tokenreviews', { authenticated: true, user: {} }, 'unauthenticated'],
    ['tokenreviews', { authenticated: 'yes', user: { username: 'admin' } }, 'unauthenticated'],
    ['subjectaccessreviews', {}, 'forbidden'],
    ['subjectaccessreviews', { allowed: 'yes' }, 'forbidden'],
    ['subjectaccessreviews', { allowed: true, denied: true }, 'forbidden'],
  ])('when %s say %j', async (path, fields, verdict) => {
    answering(path, 201, status(fields))
    expect(await ask(reader)).toBe(verdict)
  })
})

describe('a flood of made-up tokens', () => {
  const flood = (address: (index: number) => string) =>
    Promise.all(Array.from({ length: 500 }, (_, index) => ask(made(), address(index))))

  test('from one client reaches the API server as a trickle, and keeps out nobody else', async () => {
    const verdicts = await flood(() => '10.0.0.9')
    const reviews = proxy.requests.length
    expect(verdicts.filter((verdict) => verdict === 'unknown')).toHaveLength(500 - reviews)
    expect(reviews).toBeGreaterThanOrEqual(10)
    expect(reviews).toBeLessThan(50)
    expect(lines).toEqual([
      { level: 'warn', message: 'too many unknown tokens are tried at /metrics', fields: { client: '10.0.0.9' } },
    ])
    expect(await ask(stranger)).toBe('forbidden')
  })

  test('from everywhere keeps out who is new, and not who was in', async () => {
    await ask(reader)
    pass(31)
    const late = flood((index) => `10.0.${index >> 8}.${index & 255}`)
    expect(await ask(stranger, '10.1.0.1')).toBe('unknown')
    expect(await ask(reader, '10.1.0.2')).toBe('allowed')
    const verdicts = await late
    expect(verdicts.filter((verdict) => verdict === 'unauthenticated').length).toBeLessThan(250)
    expect(verdicts).toContain('unknown')
  })
})
