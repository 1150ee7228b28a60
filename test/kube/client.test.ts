import { inspect } from 'node:util'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { ApiError, type ConnectionError, isConflict, isNotFound, isTooLarge } from '../../src/kube/api-error.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { type KubeList, type KubeObject, metadataOnly, metadataOnlyList } from '../../src/kube/objects.ts'
import { headOf } from '../../src/kube/watch-event-head.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { answer, first, type HttpProxy, type Interference, startHttpProxy } from './http-proxy.ts'
import { atEnd, configOf, freshNamespace, linesOf, manager, openClient } from './setup.ts'
import { startTcpProxy } from './tcp-proxy.ts'

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

let client: KubeClient
let namespace: string
let configMaps: string
let proxy: HttpProxy

beforeAll(async () => {
  client = openClient()
  namespace = await freshNamespace(client)
  configMaps = `/api/v1/namespaces/${namespace}/configmaps`
  proxy = await startHttpProxy(configOf())
  atEnd(() => proxy.close())
})

/** A client that goes through the HTTP proxy. */
function proxied(options: Parameters<typeof openClient>[1] = {}) {
  return openClient(configOf(undefined, proxy.url), options)
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('requests', () => {
  test('an object is created, read, patched, applied and deleted', async () => {
    const path = `${configMaps}/crud`
    const created = await client.create<ConfigMap>(
      configMaps,
      { metadata: { name: 'crud' }, data: { a: '1' } },
      manager,
    )
    expect(created.metadata.managedFields?.[0]?.manager).toBe('test')
    const patched = await client.mergePatch<ConfigMap>(path, { data: { b: 'ü' } }, { fieldManager: 'patcher' })
    expect(patched.data).toEqual({ a: '1', b: 'ü' })
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'crud' }, data: { a: '2' } }
    const conflict = await errorOf(client.apply(path, body, { fieldManager: 'applier' }))
    expect(isConflict(conflict)).toBe(true)
    await client.apply(path, body, { fieldManager: 'applier', force: true })
    const read = await client.get<ConfigMap>(path)
    expect(read.data).toEqual({ a: '2', b: 'ü' })
    expect(read.metadata.managedFields?.map(({ manager: who, operation }) => `${who} ${operation}`).sort()).toEqual([
      'applier Apply',
      'patcher Update',
      'test Update',
    ])
    const preconditions = { uid: 'another' }
    expect(isConflict(await errorOf(client.delete(path, { preconditions })))).toBe(true)
    await client.delete(path, { preconditions: { uid: read.metadata.uid } })
    expect(isNotFound(await errorOf(client.get(path)))).toBe(true)
  })

  test('a merge-patch with an old resourceVersion is a conflict', async () => {
    const { metadata } = await client.create<ConfigMap>(configMaps, { metadata: { name: 'guarded' } }, manager)
    const patch = { metadata: { resourceVersion: metadata.resourceVersion }, data: { a: '1' } }
    await client.mergePatch(`${configMaps}/guarded`, patch, manager)
    const error = await errorOf(client.mergePatch(`${configMaps}/guarded`, { ...patch, data: { a: '2' } }, manager))
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' })
  })

  test('it acts as another user, in other groups, where it may', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    type Review = { status: { userInfo: { username: string; groups: string[] } } }
    const whoIs = async (groups: string[]) => {
      const other = openClient(configOf(), { impersonate: { user: 'joe', groups } })
      const { status } = await other.create<Review>(
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        review,
        manager,
      )
      return status.userInfo
    }
    expect(await whoIs([])).toMatchObject({ username: 'joe', groups: ['system:authenticated'] })
    expect((await whoIs(['devs', 'ops'])).groups).toEqual(['devs', 'ops', 'system:authenticated'])
  })

  test('metadata-only answers hold no data, for an object, a list and a write', async () => {
    const path = `/api/v1/namespaces/${namespace}/secrets`
    await client.create(path, { metadata: { name: 'hidden' }, stringData: { password: 'hunter2' } }, manager)
    const one = await client.get(`${path}/hidden`, { accept: metadataOnly })
    const list = await client.get<KubeList>(path, { accept: metadataOnlyList, query: { limit: 5 } })
    const written = await client.mergePatch(
      `${path}/hidden`,
      { metadata: { labels: { a: 'b' } } },
      { ...manager, accept: metadataOnly },
    )
    expect(list.items).toHaveLength(1)
    expect(written).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { labels: { a: 'b' } } })
    expect(JSON.stringify([one, list, written])).not.toContain('"data"')
  })

  test('each request carries our User-Agent, and its outcome is told', async () => {
    const own = proxied()
    await own.get(configMaps, { query: { limit: 1, labelSelector: 'a in (b, c)', continue: undefined } })
    await errorOf(own.get(`${configMaps}/missing`))
    const query = '?limit=1&labelSelector=a%20in%20(b%2C%20c)'
    expect(own.responses).toEqual([
      { method: 'GET', path: configMaps + query, code: 200, seconds: expect.any(Number) },
      { method: 'GET', path: `${configMaps}/missing`, code: 404, seconds: expect.any(Number) },
    ])
    expect(proxy.requests.at(-1)?.headers['user-agent']).toBe('regcred-operator/1.2.3')
  })

  test('a path in the URL of the server comes before all paths, as Rancher has it', async () => {
    proxy.interfere = (_, { pathname }) => pathname.replace(/^\/k8s\/clusters\/c-1/, '')
    const own = openClient(configOf(undefined, `${proxy.url}/k8s/clusters/c-1`))
    const list = await own.get<KubeList>(configMaps)
    expect(list.items).toBeInstanceOf(Array)
    expect(proxy.requests.at(-1)?.url.pathname).toBe(`/k8s/clusters/c-1${configMaps}`)
  })

  test('many requests share the pooled connections', async () => {
    const tcp = await startTcpProxy(sharedCluster().server)
    atEnd(() => tcp.close())
    const own = openClient(configOf(undefined, tcp.url), { connections: 8 })
    const get = () => own.get(`${configMaps}/kube-root-ca.crt`, { accept: metadataOnly, timeoutMs: 60_000 })
    await eventually(async () => void (await get()))
    let most = 0
    await Promise.all(
      Array.from({ length: 400 }, async () => {
        await get()
        most = Math.max(most, tcp.connections)
      }),
    )
    expect(most).toBeLessThanOrEqual(8)
  })
})

describe('what goes wrong', () => {
  const secret = 'c2VjcmV0LXZhbHVl'

  test('a read that is told to come back later does so by itself', async () => {
    proxy.interfere = first(1, () => true, answer(429, '', { 'retry-after': '1' }))
    const own = proxied()
    const start = performance.now()
    await own.get(configMaps)
    expect(own.responses.map(({ code }) => code)).toEqual([429, 200])
    expect(performance.now() - start).toBeGreaterThan(990)
  })

  test('a read does so a few times, then it fails; and at once when it is to wait long', async () => {
    proxy.interfere = () => answer(503, '', { 'retry-after': '0' })
    const own = proxied()
    expect(await errorOf(own.get(configMaps))).toMatchObject({ code: 503, retryAfterSeconds: 0 })
    expect(own.responses).toHaveLength(4)
    proxy.interfere = () => answer(429, '', { 'retry-after': '60' })
    expect(await errorOf(own.get(configMaps))).toMatchObject({ code: 429, retryAfterSeconds: 60 })
    expect(own.responses).toHaveLength(5)
  })

  test('a write is never repeated; its error says how long to wait', async () => {
    proxy.interfere = () => answer(429, '', { 'retry-after': '7' })
    const own = proxied()
    const error = await errorOf(own.mergePatch(`${configMaps}/guarded`, {}, manager))
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ code: 429, retryAfterSeconds: 7 })
    expect(own.responses).toHaveLength(1)
  })

  test('an answer that is no JSON is an error that does not quote it', async () => {
    for (const body of [`{"data":{"password":"${secret}"`, `<html>${secret}</html>`]) {
      proxy.interfere = () => answer(200, body)
      const error = await errorOf(proxied().get(configMaps))
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'ERR_INVALID_JSON' })
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret)
    }
  })

  test('an answer of more bytes than wanted is given up as soon as it has them, and the next one is read', async () => {
    const endless: Interference = (response) => {
      const more = () => response.write('{"hunter2":'.repeat(100_000))
      response.on('drain', more)
      more()
    }
    proxy.interfere = first(1, () => true, endless)
    const client = proxied()
    const error = await errorOf(client.get(configMaps, { maxBytes: 1_000_000 }))
    expect([isTooLarge(error), inspect(error)]).toEqual([true, expect.not.stringContaining('hunter2')])
    expect((await client.get<KubeList>(configMaps, { maxBytes: 1_000_000 })).items).toBeInstanceOf(Array)
  })

  test('an answer that is cut in the middle is an error that does not quote it', async () => {
    proxy.interfere = () => (response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write(`{"data":{"password":"${secret}"`, () => response.destroy())
    }
    const error = await errorOf(proxied().get(configMaps))
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'UND_ERR_SOCKET' })
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret)
  })

  test('a request without an answer ends after its timeout, and one of its caller at once', async () => {
    proxy.interfere = () => () => undefined
    const own = proxied({ timeoutMs: 200 })
    expect(await errorOf(own.get(configMaps))).toMatchObject({ name: 'ConnectionError', code: 'ETIMEDOUT' })
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = errorOf(own.get(configMaps, { signal: abort.signal, timeoutMs: 60_000 }))
    abort.abort(reason)
    expect(await waiting).toBe(reason)
    expect(await errorOf(own.get(configMaps, { signal: abort.signal }))).toBe(reason)
    expect(own.responses.map(({ code }) => code)).toEqual([undefined, undefined, undefined])
  })

  test('a request that has waited too long for a connection is not sent any more', async () => {
    proxy.interfere = (method) => (method === 'GET' ? () => undefined : undefined)
    const own = proxied({ connections: 1, timeoutMs: 60_000 })
    const hanging = errorOf(own.get(configMaps, { timeoutMs: 1_000 }))
    const body = { metadata: { name: 'too-late' } }
    const late = errorOf(own.create(configMaps, body, { ...manager, timeoutMs: 100 }))
    expect(await late).toMatchObject({ code: 'ETIMEDOUT' })
    await hanging
    await own.mergePatch(
      configMaps.replace('configmaps', 'serviceaccounts/default'),
      { metadata: { labels: { a: 'b' } } },
      manager,
    )
    expect(isNotFound(await errorOf(client.get(`${configMaps}/too-late`)))).toBe(true)
  })

  test('after all connections have frozen, requests go on over new ones', async () => {
    const tcp = await startTcpProxy(sharedCluster().server)
    atEnd(() => tcp.close())
    const own = openClient(configOf(undefined, tcp.url), { connections: 4 })
    const get = (timeoutMs = 60_000) => own.get(configMaps, { timeoutMs })
    await Promise.all([get(), get(), get(), get()])
    tcp.freeze()
    const errors = await Promise.all([get(1_000), get(1_000), get(1_000), get(1_000)].map(errorOf))
    expect(errors).toEqual(Array(4).fill(expect.objectContaining({ code: 'ETIMEDOUT' })))
    await Promise.all([get(), get(), get(), get()])
  })

  test('a server that is not there is an error with its address', async () => {
    const own = openClient(configOf(undefined, 'https://127.0.0.1:1'))
    expect(await errorOf(own.get('/version'))).toMatchObject({
      code: 'ECONNREFUSED',
      message: 'no usable answer from https://127.0.0.1:1 (ECONNREFUSED)',
    })
  })
})

describe('watches', () => {
  test('the events of a watch come as lines until the caller stops', async () => {
    const abort = new AbortController()
    const query = { watch: true, fieldSelector: 'metadata.name=watched' }
    const lines = linesOf(client, configMaps, {
      query,
      signal: abort.signal,
      onOpen: () => void client.create(configMaps, { metadata: { name: 'watched' } }, manager),
    })
    const { value } = await lines.next()
    expect(JSON.parse(value ?? '')).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'watched' } } })
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await errorOf(lines.next())).toBe(reason)
  })

  test.each([
    ['of an object', {}, 'ConfigMap'],
    ['of its metadata alone', { accept: metadataOnly }, 'PartialObjectMetadata'],
  ])('an event %s has the head that is looked for, also with a generated name', async (_, options, kind) => {
    const path = `/api/v1/namespaces/${await freshNamespace(client)}/configmaps`
    await client.create(path, { metadata: { generateName: 'generated-', labels: { a: 'b' } } }, manager)
    const events = linesOf(client, path, { query: { watch: true, labelSelector: 'a=b' }, ...options })
    const line = (await events.next()).value ?? ''
    await events.return?.()
    const { object } = JSON.parse(line) as { object: KubeObject }
    const { name, namespace, uid, resourceVersion } = object.metadata
    expect([object.kind, headOf(line)]).toEqual([kind, { name, namespace, uid, resourceVersion }])
  })

  test('an event of a cluster-scoped object has the head that is looked for', async () => {
    const query = { watch: true, fieldSelector: `metadata.name=${namespace}` }
    const events = linesOf(client, '/api/v1/namespaces', { query })
    expect(headOf((await events.next()).value ?? '')).toMatchObject({ name: namespace })
    await events.return?.()
  })

  test('watches take no connections from requests', async () => {
    const own = openClient(configOf(), { connections: 1 })
    const opened = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const watches = opened.map(({ resolve }) => linesOf(own, configMaps, { query: { watch: true }, onOpen: resolve }))
    for (const watch of watches) await watch.next()
    await Promise.all(opened.map(({ promise }) => promise))
    await own.get(configMaps)
    for (const watch of watches) await watch.return?.()
  })

  test('a refused watch is an ApiError, a broken one a ConnectionError', async () => {
    expect(await errorOf(linesOf(client, '/api/v1/nonsense').next())).toMatchObject({ name: 'ApiError', code: 404 })
    proxy.interfere = () => (response) => {
      response.writeHead(200).write('{"type":"ADDED"}\n{"ty', () => setTimeout(() => response.destroy(), 50))
    }
    const lines = linesOf(proxied(), configMaps)
    expect(await lines.next()).toEqual({ done: false, value: '{"type":"ADDED"}' })
    expect(await errorOf(lines.next())).toMatchObject({ name: 'ConnectionError', code: 'UND_ERR_SOCKET' })
  })

  test('a watch whose headers do not come ends after the timeout', async () => {
    proxy.interfere = () => () => undefined
    const error = await errorOf(linesOf(proxied({ timeoutMs: 200 }), configMaps).next())
    expect((error as ConnectionError).code).toBe('ETIMEDOUT')
  })
})
