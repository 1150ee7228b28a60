import type { ServerResponse } from 'node:http'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeClient } from '../../src/kube/client.ts'
import { assertLeading, fenced } from '../../src/kube/fence.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { LeaseLostError, LeaseTerm, NotLeadingError } from '../../src/kube/term.ts'
import { eventually } from '../cluster/wait.ts'
import { type Forwarded, type HttpProxy, startHttpProxy } from './http-proxy.ts'
import { atEnd, configOf, freshNamespace, manager, openClient } from './setup.ts'

let admin: KubeClient
let configMaps: string
let proxy: HttpProxy

beforeAll(async () => {
  admin = openClient()
  configMaps = `/api/v1/namespaces/${await freshNamespace(admin)}/configmaps`
  proxy = await startHttpProxy(configOf())
  atEnd(() => proxy.close())
})

/** A term that lasts for an hour. */
function openTerm(): LeaseTerm {
  const term = new LeaseTerm(performance.now(), 3_600)
  atEnd(() => term.close())
  return term
}

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

/** Every way to write; the object of this name is made, and deleted in the end. */
function writesTo(client: KubeClient, name: string): (() => Promise<KubeObject>)[] {
  const path = `${configMaps}/${name}`
  return [
    () => client.create(configMaps, configMap(name), manager),
    () => client.apply(path, configMap(name), { ...manager, force: true }),
    () => client.mergePatch(path, { data: { a: '1' } }, manager),
    () => client.delete(path),
  ]
}

describe('a fenced client', () => {
  test('writes while its term lasts', async () => {
    const client = openClient()
    for (const write of writesTo(fenced(client, openTerm()), 'passes')) await write()
    expect(client.responses.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'DELETE'])
  })

  test.each([
    ['was told to stop', (term: LeaseTerm) => term.stop(new Error('stop'))],
    ['has lost its lease', (term: LeaseTerm) => term.lose()],
  ])('that %s sends no write, and still reads', async (_, end) => {
    const client = openClient()
    const term = openTerm()
    const writer = fenced(client, term)
    end(term)
    for (const write of writesTo(writer, 'refused')) await expect(write()).rejects.toThrow(NotLeadingError)
    await writer.get(configMaps)
    expect(client.responses.map(({ method }) => method)).toEqual(['GET'])
  })

  test('whose time is over sends no write, though no timer has told it yet', () => {
    const term = new LeaseTerm(performance.now() - 10_001, 10)
    expect(term.leading.aborted).toBe(false)
    expect(() => assertLeading(term)).toThrow(NotLeadingError)
    expect(term.lost.reason).toBeInstanceOf(LeaseLostError)
  })
})

describe('a write under way', () => {
  /** Begins to make a ConfigMap, which waits in the proxy. */
  async function begin(name: string, term: LeaseTerm, signal?: AbortSignal) {
    const arrived = Promise.withResolvers<{ response: ServerResponse; forward: () => Promise<Forwarded> }>()
    proxy.interfere = () => (response, forward) => arrived.resolve({ response, forward })
    const client = fenced(openClient(configOf(undefined, proxy.url)), term)
    const written = client.create<KubeObject>(configMaps, configMap(name), { ...manager, ...(signal && { signal }) })
    // Whether it fails is looked at later.
    written.catch(() => undefined)
    return { written, ...(await arrived.promise) }
  }

  test('ends when the process is told to stop', async () => {
    const term = openTerm()
    const { written, response, forward } = await begin('stopped', term)
    term.stop(new Error('stop'))
    const { code, body } = await forward()
    response.writeHead(code).end(body)
    expect((await written).metadata.name).toBe('stopped')
    await admin.get(`${configMaps}/stopped`)
  })

  test.each([false, true])('is cut when the lease is lost (told to stop before: %s)', async (stopped) => {
    const term = openTerm()
    const { written, response } = await begin('cut', term)
    if (stopped) term.stop(new Error('stop'))
    term.lose()
    await expect(written).rejects.toThrow(LeaseLostError)
    await eventually(() => expect(response.closed).toBe(true))
  })

  test('is still cut by its caller', async () => {
    const caller = new AbortController()
    const { written } = await begin('given-up', openTerm(), caller.signal)
    caller.abort(new Error('enough'))
    await expect(written).rejects.toThrow('enough')
  })
})
