import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Cache } from '../../src/kube/cache.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { type ReflectorOptions, type RestartReason, reflect } from '../../src/kube/reflector.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { answer, first, type HttpProxy, type Interference, isWatch, startHttpProxy } from './http-proxy.ts'
import { atEnd, configOf, freshNamespace, freshResource, manager, openClient, recordingLog } from './setup.ts'
import { startTcpProxy } from './tcp-proxy.ts'

let admin: KubeClient
const patient = { timeoutMs: 60_000 }
/** One namespace a test, so that tests do not see each other's objects. */
const configMapsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`

beforeAll(() => {
  // What it waits for is the machine, which may be busy.
  admin = openClient(configOf(), patient)
})

const running: (() => Promise<void>)[] = []
/** What is left of them would take for itself what the next test does to its own. */
afterEach(async () => {
  for (const end of running.splice(0)) await end()
})

/** A reflector with a cache of names, and all that it does to the world. Ended with its test. */
function start(options: Pick<ReflectorOptions, 'client' | 'path'> & Partial<ReflectorOptions>) {
  const cache = new Cache(({ metadata }: KubeObject) => metadata.name)
  const events: string[] = []
  cache.subscribe(({ name, before, after }) => {
    events.push(`${before === undefined ? 'added' : after === undefined ? 'deleted' : 'changed'} ${name}`)
  })
  const restarts: RestartReason[] = []
  const stop = new AbortController()
  const { log, lines } = recordingLog()
  const onRestart = (reason: RestartReason) => void restarts.push(reason)
  const reflector = reflect({ cache, log, signal: stop.signal, onRestart, ...options })
  running.push(async () => {
    stop.abort()
    await reflector.done
  })
  return { ...reflector, cache, events, restarts, stop, lines }
}

async function* repeat(lines: AsyncIterable<string>, times: number): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`.repeat(times)
}

async function* breakOff(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) {
    yield line.slice(0, 20)
    throw new Error('the connection breaks')
  }
}

async function writeConfigMap(namespace: string, name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { at: String(performance.now()) } }
  await admin.apply(`${configMapsOf(namespace)}/${name}`, body, { ...manager, force: true })
}

/** The controller manager puts one there, in its own time: it must not come in the middle of a test. */
async function settledNamespace(): Promise<string> {
  const namespace = await freshNamespace(admin)
  await eventually(async () => void (await admin.get(`${configMapsOf(namespace)}/kube-root-ca.crt`)))
  return namespace
}

describe('list and watch', () => {
  test('what is there is listed, what happens then is watched', async () => {
    const namespace = await settledNamespace()
    await writeConfigMap(namespace, 'before')
    const { synced, cache, events, state } = start({ client: admin, path: configMapsOf(namespace) })
    await synced
    expect([...cache.values()].sort()).toEqual(['before', 'kube-root-ca.crt'])
    await writeConfigMap(namespace, 'later')
    await writeConfigMap(namespace, 'later')
    await admin.delete(`${configMapsOf(namespace)}/before`)
    await eventually(() => expect(events.slice(2)).toEqual(['added later', 'changed later', 'deleted before']))
    expect(state()).toMatchObject({ synced: true, problem: undefined })
    expect(state().silentSeconds).toBeLessThan(60)
  })

  test('more than 500 objects come in pages', async () => {
    const namespace = await settledNamespace()
    await Promise.all(Array.from({ length: 1_100 }, (_, i) => writeConfigMap(namespace, `many-${i}`)))
    const client = openClient()
    const { synced, cache } = start({ client, path: configMapsOf(namespace) })
    await synced
    expect(cache.size).toBe(1_101)
    const lists = client.responses.filter(({ path }) => !path.includes('watch=true'))
    expect(lists.map(({ path }) => path.includes('continue='))).toEqual([false, true, true])
  })

  test('large objects come in smaller pages, however large they are, and small ones behind them in larger ones again', async () => {
    const namespace = await freshNamespace(admin)
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
    const create = (name: string, imagePullSecrets: object[]) =>
      admin.create(path, { metadata: { name }, imagePullSecrets }, manager)
    // As large as the API server takes them.
    for (let i = 0; i < 5; i++) await create(`a-${i}`, Array(340_000).fill({}))
    // Each `<` is six bytes in an answer.
    await create('a-page-of-its-own', [{ name: '<'.repeat(1_300_000) }])
    for (let i = 10; i < 50; i++) await create(`b-${i}`, [])
    const client = openClient(configOf(), patient)
    const { synced, cache, lines } = start({ client, path })
    await synced
    const names = [...cache.values()].filter((name) => name !== 'default').sort()
    expect(names.map((name) => name.slice(0, 2))).toEqual([...Array(6).fill('a-'), ...Array(40).fill('b-')])
    const asked = client.responses.map(({ path }) => new URLSearchParams(path.split('?')[1]))
    const lists = asked.filter((query) => !query.has('watch'))
    const limits = lists.filter((query) => query.has('continue')).map((query) => Number(query.get('limit')))
    // Tokens are good for pages of other sizes than the one that they were given with.
    expect(limits).toContain(1)
    expect(limits.at(-1)).toBeGreaterThan(8)
    expect(lists.length).toBeLessThan(30)
    expect(lines).toEqual([])
  })

  test('a field selector is kept to, and metadata-only objects hold no data', async () => {
    const namespace = await settledNamespace()
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    const create = (name: string) =>
      admin.create(secrets, { metadata: { name }, stringData: { password: 'hunter2' } }, manager)
    await create('other')
    const cache = new Cache((raw) => raw)
    const query = { fieldSelector: 'metadata.name=regcred' }
    const { synced } = start({ client: admin, path: secrets, query, metadataOnly: true, cache })
    await synced
    expect(cache.size).toBe(0)
    await create('regcred')
    await eventually(() => expect(cache.size).toBe(1))
    await admin.mergePatch(`${secrets}/regcred`, { metadata: { labels: { a: 'b' } } }, manager)
    await eventually(() => expect(cache.get(namespace, 'regcred')?.metadata.labels).toEqual({ a: 'b' }))
    expect(Object.keys(cache.get(namespace, 'regcred') ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata'])
  })

  test('when it is stopped before the first list, synced rejects and done resolves', async () => {
    const { synced, done, stop } = start({ client: admin, path: configMapsOf('default') })
    stop.abort()
    await expect(synced).rejects.toThrow('stopped')
    await done
  })
})

describe('faults of the network', () => {
  test('when it is stopped by what the first list has told, no watch is opened', async () => {
    const namespace = await settledNamespace()
    const client = openClient()
    const stop = new AbortController()
    const cache = new Cache(({ metadata }: KubeObject) => metadata.name)
    cache.subscribe(() => stop.abort())
    const { done } = start({ client, path: configMapsOf(namespace), cache, signal: stop.signal })
    await done
    expect(client.responses.map(({ path }) => path)).toEqual([expect.stringContaining('limit=')])
  })

  test('after a cut it goes on where it was: nothing is listed again, nothing told twice, nothing lost', async () => {
    const namespace = await settledNamespace()
    const tcp = await startTcpProxy(sharedCluster().server)
    atEnd(() => tcp.close())
    const client = openClient(configOf(undefined, tcp.url))
    const { synced, events, restarts, lines } = start({ client, path: configMapsOf(namespace) })
    await synced
    await writeConfigMap(namespace, 'one')
    await eventually(() => expect(events).toContain('added one'))
    tcp.refuse(true)
    await writeConfigMap(namespace, 'two')
    await admin.delete(`${configMapsOf(namespace)}/one`)
    await eventually(() => expect(restarts.length).toBeGreaterThan(1))
    tcp.refuse(false)
    await eventually(() => expect(events.slice(1)).toEqual(['added one', 'added two', 'deleted one']))
    expect(new Set(restarts)).toEqual(new Set(['error']))
    expect(client.responses.filter(({ path }) => !path.includes('watch=true'))).toHaveLength(1)
    await eventually(() => {
      const told = lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level} ${message}`)
      expect(told.at(-1)).toBe('info watching again')
      // A reset connection and a refused one are two problems; their repetitions are not told.
      expect(told.length).toBeLessThanOrEqual(3)
    })
  })

  test('a connection that has frozen is noticed by its silence', async () => {
    const namespace = await settledNamespace()
    const tcp = await startTcpProxy(sharedCluster().server)
    atEnd(() => tcp.close())
    const client = openClient(configOf(undefined, tcp.url), { timeoutMs: 10_000 })
    const { synced, events, restarts } = start({ client, path: configMapsOf(namespace), idleMs: 1_000 })
    await synced
    await writeConfigMap(namespace, 'one')
    await eventually(() => expect(events).toContain('added one'))
    tcp.freeze()
    await writeConfigMap(namespace, 'two')
    await eventually(() => expect(events).toContain('added two'))
    expect(restarts).toContain('idle')
    expect(client.responses.filter(({ path }) => !path.includes('watch=true'))).toHaveLength(1)
  })

  test('a server that is not there at the start is waited for, and said to be missing once', async () => {
    const namespace = await settledNamespace()
    const tcp = await startTcpProxy(sharedCluster().server)
    atEnd(() => tcp.close())
    tcp.refuse(true)
    const problems: Error[] = []
    const client = openClient(configOf(undefined, tcp.url))
    const { synced, state, lines } = start({
      client,
      path: configMapsOf(namespace),
      onProblem: (error) => problems.push(error) > 0,
    })
    await eventually(() => expect(client.responses.length).toBeGreaterThan(2))
    expect(state()).toMatchObject({ synced: false, silentSeconds: Number.POSITIVE_INFINITY })
    expect(state().problem).toMatch(/no usable answer/)
    expect(problems).toHaveLength(1)
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([])
    tcp.refuse(false)
    await synced
    await eventually(() => expect(state().problem).toBeUndefined())
  })
})

describe('what the API server says', () => {
  let proxy: HttpProxy
  const isList = (method: string, url: URL) => method === 'GET' && !url.searchParams.has('watch')

  beforeAll(async () => {
    proxy = await startHttpProxy(configOf())
    atEnd(() => proxy.close())
  })

  /** Its requests through the proxy, since the last call. */
  const seen = () => proxy.requests.splice(0).map(({ url }) => url)

  function proxied() {
    seen()
    return openClient(configOf(undefined, proxy.url))
  }

  test('a version that is too old leads to a new list, which tells only what is different', async () => {
    const { path, apiVersion, kind } = await freshResource(admin)
    const write = (name: string) => admin.create(path, { apiVersion, kind, metadata: { name } }, manager)
    await write('kept')
    // The real 410: the first watch asks for the beginning of time.
    proxy.interfere = first(1, isWatch, `${path}?watch=true&allowWatchBookmarks=true&resourceVersion=1`)
    const { synced, events, restarts, lines } = start({ client: proxied(), path })
    await synced
    await eventually(() => expect(proxy.requests).toHaveLength(4))
    expect(restarts).toEqual(['expired'])
    await write('new')
    await eventually(() => expect(events).toEqual(['added kept', 'added new']))
    const requests = seen()
    expect(requests.map((url) => url.searchParams.has('watch'))).toEqual([false, true, false, true])
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info the watch has expired, listing again',
    ])
  })

  describe('after failures', () => {
    const broken: Interference = (response) => response.destroy()
    const expired = answer(410, JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }))

    /** A reflector whose watches meet these answers, one after the other; it notes its waits in ms and skips them. */
    async function meet(answers: Interference[]) {
      const namespace = await settledNamespace()
      const waits: number[] = []
      const pause = async (ms: number) => void waits.push(ms)
      // Of this namespace only: what reflectors of earlier tests have sent may still be on its way.
      const isOurs = (url: URL) => url.pathname.includes(namespace)
      proxy.interfere = (method, url) => (isWatch(method, url) && isOurs(url) ? answers.shift() : undefined)
      const reflector = start({ client: proxied(), path: configMapsOf(namespace), pause })
      await reflector.synced
      await eventually(() => expect(answers).toEqual([]))
      await writeConfigMap(namespace, 'seen')
      await eventually(() => expect(reflector.events).toContain('added seen'))
      const requests = seen().filter(isOurs)
      return { ...reflector, waits, requests: requests.map((url) => (isWatch('GET', url) ? 'watch' : 'list')) }
    }

    test('it waits longer each time, but never long', async () => {
      const { waits } = await meet(Array(8).fill(broken))
      expect(waits).toHaveLength(8)
      expect(waits[4]).toBeGreaterThan(waits[0] ?? 0)
      expect(Math.max(...waits)).toBeLessThanOrEqual(12_000)
    })

    test.each<[what: string, refusal: Interference, leastMs: number]>([
      ['are cut together', broken, 400],
      ['are asked together to come back in a second', answer(429, '', { 'retry-after': '1' }), 1_000],
    ])('watches that %s do not come back in step', async (_what, refusal, leastMs) => {
      const namespace = await settledNamespace()
      const waits: number[] = []
      const pause = async (ms: number) => void waits.push(ms)
      proxy.interfere = first(24, (method, url) => isWatch(method, url) && url.pathname.includes(namespace), refusal)
      const client = proxied()
      const reflectors = Array.from({ length: 24 }, () => start({ client, path: configMapsOf(namespace), pause }))
      await Promise.all(reflectors.map(({ synced }) => synced))
      await eventually(() => expect(waits).toHaveLength(24))
      for (const { stop } of reflectors) stop.abort()
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(leastMs)
      expect(new Set(waits).size).toBeGreaterThan(20)
      expect(Math.max(...waits)).toBeGreaterThan(1.1 * Math.min(...waits))
    })

    test('a version that is too old leads to a new list at once, since the server is well again', async () => {
      const { waits, requests, lines } = await meet([broken, broken, broken, broken, expired, broken])
      expect(requests).toEqual(['list', ...Array(5).fill('watch'), 'list', 'watch', 'watch'])
      expect(waits).toHaveLength(5)
      // What failed before the server was well counts no more.
      expect(waits[4]).toBeLessThan(waits[2] ?? 0)
      const told = lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level} ${message}`)
      expect(told).toEqual([
        'warn list or watch fails, trying again',
        'info the watch has expired, listing again',
        'info watching again',
      ])
    })

    test('a server whose versions are always too old is left alone, longer each time', async () => {
      const { waits, requests } = await meet(Array(6).fill(expired))
      expect(requests).toEqual(Array(7).fill(['list', 'watch']).flat())
      expect(waits).toHaveLength(5)
      expect(waits[4]).toBeGreaterThan(waits[0] ?? Number.POSITIVE_INFINITY)
    })
  })

  test('a continue token that is too old leads to a new list from the start', async () => {
    const namespace = await settledNamespace()
    await Promise.all(Array.from({ length: 510 }, (_, i) => writeConfigMap(namespace, `many-${i}`)))
    const status = JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })
    proxy.interfere = first(1, (_, url) => url.searchParams.has('continue'), answer(410, status))
    const { synced, cache, events } = start({ client: proxied(), path: configMapsOf(namespace) })
    await synced
    expect(cache.size).toBe(511)
    expect(events).toHaveLength(511)
    const lists = seen().filter((url) => isList('GET', url))
    expect(lists.map((url) => url.searchParams.has('continue'))).toEqual([false, true, false, true])
  })

  test('a bookmark moves the version from which the next watch goes on', async () => {
    const namespace = await settledNamespace()
    const path = configMapsOf(namespace)
    // The API server sends a bookmark shortly before it ends a watch: this one is to last 5 s instead of 5 minutes.
    proxy.interfere = (method, url) => {
      if (!isWatch(method, url)) return undefined
      url.searchParams.set('timeoutSeconds', '5')
      return `${url.pathname}${url.search}`
    }
    const { synced, restarts, events } = start({ client: proxied(), path })
    await synced
    const elsewhere = await settledNamespace()
    await writeConfigMap(elsewhere, 'not-ours')
    // Mostly by the second watch; where that bookmark came before the write, the next comes after a minute or more.
    await eventually(
      () => {
        const watches = proxy.requests.map(({ url }) => url).filter((url) => isWatch('GET', url))
        const [first = Number.POSITIVE_INFINITY, ...next] = watches.map((url) =>
          Number(url.searchParams.get('resourceVersion')),
        )
        expect(Math.max(...next)).toBeGreaterThan(first)
      },
      { timeoutMs: 240_000 },
    )
    expect(restarts).toContain('closed')
    expect(seen().filter((url) => isList('GET', url))).toHaveLength(1)
    expect(events).toEqual(['added kube-root-ca.crt'])
  })

  test('an error within the watch is waited out, and the watch goes on where it was', async () => {
    const namespace = await settledNamespace()
    const error = {
      type: 'ERROR',
      object: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' },
    }
    proxy.interfere = first(1, isWatch, answer(200, `${JSON.stringify(error)}\n`))
    const { synced, events, restarts, lines } = start({ client: proxied(), path: configMapsOf(namespace) })
    await synced
    await writeConfigMap(namespace, 'one')
    await eventually(() => expect(events).toContain('added one'))
    expect(restarts).toEqual(['error'])
    expect(seen().filter((url) => isList('GET', url))).toHaveLength(1)
    expect(lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.error)).toEqual([
      expect.objectContaining({ code: 500, message: 'etcd is away' }),
    ])
  })

  test('what the proxy of these tests can do: alter the lines of a watch, end it, break it off', async () => {
    const namespace = await settledNamespace()
    const twice = { text: (lines: AsyncIterable<string>) => repeat(lines, 2) }
    const ofOurs = (method: string, url: URL) => isWatch(method, url) && url.pathname.includes(namespace)
    proxy.interfere = first(1, ofOurs, twice)
    const client = proxied()
    const lines: string[] = []
    const path = configMapsOf(namespace)
    const watch = () => client.watch(path, { query: { watch: true }, onLine: (line) => void lines.push(line) })
    const altered = watch()
    await eventually(() => expect(lines).toHaveLength(2))
    expect(lines[0]).toBe(lines[1])
    proxy.endWatches()
    await altered
    const plain = watch()
    await eventually(() => expect(lines).toHaveLength(3))
    proxy.endWatches()
    await plain
    proxy.interfere = first(1, ofOurs, { text: breakOff })
    await expect(watch()).rejects.toThrow('no usable answer')
  })

  test('the echo of a write of ours is not even parsed, and the watch goes on behind it', async () => {
    const namespace = await settledNamespace()
    const written = Promise.withResolvers<void>()
    // Nothing but the heads of the events, which is no JSON.
    const heads = async function* (lines: AsyncIterable<string>) {
      for await (const line of lines) {
        await written.promise
        yield `${line.replace(/("resourceVersion":"\d+").*/, '$1')}\n`
      }
    }
    proxy.interfere = first(1, (method, url) => isWatch(method, url) && url.pathname.includes(namespace), {
      text: heads,
    })
    const { synced, cache, events, restarts } = start({ client: proxied(), path: configMapsOf(namespace) })
    await synced
    const ours = await admin.create<KubeObject>(configMapsOf(namespace), { metadata: { name: 'ours' } }, manager)
    cache.writeThrough(ours)
    written.resolve()
    await writeConfigMap(namespace, 'theirs')
    await eventually(() => expect(events).toEqual(['added kube-root-ca.crt', 'added theirs']))
    expect(restarts).toEqual(['error'])
    const watches = seen().filter((url) => isWatch('GET', url))
    expect(watches.at(-1)?.searchParams.get('resourceVersion')).toBe(ours.metadata.resourceVersion)
  })

  test('Retry-After of a refused watch is kept to', async () => {
    const namespace = await settledNamespace()
    proxy.interfere = first(1, isWatch, answer(429, '', { 'retry-after': '3' }))
    const { synced, events } = start({ client: proxied(), path: configMapsOf(namespace) })
    await synced
    const start_ = performance.now()
    await writeConfigMap(namespace, 'one')
    await eventually(() => expect(events).toContain('added one'))
    expect(performance.now() - start_).toBeGreaterThan(2_500)
  })

  test('a line that is no JSON is an error that does not quote it', async () => {
    const namespace = await settledNamespace()
    proxy.interfere = first(1, isWatch, answer(200, '{"type":"ADDED","object":{"data":"hunter2"\n'))
    const { synced, events, lines } = start({ client: proxied(), path: configMapsOf(namespace) })
    await synced
    await writeConfigMap(namespace, 'one')
    await eventually(() => expect(events).toContain('added one'))
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(JSON.stringify(lines.map(({ message, fields }) => [message, String(fields.error)]))).not.toContain('hunter2')
  })

  test('a resource type that does not exist is said to be missing once, and found when it is there', async () => {
    const plural = `things${Math.random().toString(36).slice(2)}`
    const group = 'kube.test'
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const problems: Error[] = []
    const client = openClient()
    const { synced, cache } = start({
      client,
      path: `/apis/${group}/v1/${plural}`,
      onProblem: (error) => problems.push(error) > 0,
    })
    await eventually(() => expect(client.responses.length).toBeGreaterThan(1))
    expect(problems).toEqual([expect.objectContaining({ code: 404 })])
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    const crd = {
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { plural, kind: plural.replace('t', 'T') },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    }
    await admin.create(crds, crd, manager)
    atEnd(() => admin.delete(`${crds}/${plural}.${group}`))
    await synced
    expect(problems).toHaveLength(1)
    const object = { apiVersion: `${group}/v1`, kind: crd.spec.names.kind, metadata: { name: 'one' } }
    await eventually(async () => void (await admin.create(`/apis/${group}/v1/${plural}`, object, manager)))
    await eventually(() => expect(cache.get('', 'one')).toBe('one'))
  })
})
