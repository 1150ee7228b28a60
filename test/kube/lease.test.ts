import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeClient } from '../../src/kube/client.ts'
import { assertLeading } from '../../src/kube/fence.ts'
import { type ElectionOptions, lead } from '../../src/kube/lease.ts'
import { LeaseLock } from '../../src/kube/lease-lock.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { atEnd, configOf, freshNamespace, manager, openClient, recordingLog } from './setup.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string
    leaseDurationSeconds: number
    leaseTransitions: number
    acquireTime: string
    renewTime: string
  }
}

/** Long enough that nobody loses a lease because the machine is busy. */
const times = { durationSeconds: 10, deadlineSeconds: 7, retrySeconds: 0.3 }
/** For a lease that is to run out. */
const short = { durationSeconds: 3, deadlineSeconds: 2, retrySeconds: 0.3 }

let admin: KubeClient
let namespace: string

beforeAll(async () => {
  admin = openClient()
  namespace = await freshNamespace(admin)
})

const leasePath = (name: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`
const leaseOf = (name: string) => admin.get<Lease>(leasePath(name))

/** When who led, in the order in which it happened. */
interface Term {
  identity: string
  from: number
  to: number
}

/** A candidate whose work lasts until it is told to stop. */
function candidate(name: string, identity: string, terms: Term[], given: Partial<ElectionOptions> = {}) {
  const stop = new AbortController()
  const { log, lines } = recordingLog()
  let leads = false
  const options = { client: admin, namespace, name, identity, log, signal: stop.signal, times, ...given }
  const ended = lead(options, async ({ leading }) => {
    const term = { identity, from: performance.now(), to: Number.POSITIVE_INFINITY }
    terms.push(term)
    leads = true
    await new Promise((resolve) => leading.addEventListener('abort', resolve))
    leads = false
    term.to = performance.now()
  })
  const end = async () => {
    stop.abort()
    await ended
  }
  atEnd(end)
  return {
    end,
    lines,
    get leads() {
      return leads
    },
  }
}

function expectNoOverlap(terms: Term[]): void {
  for (const [index, { from }] of terms.entries()) {
    if (index > 0) expect(from).toBeGreaterThanOrEqual(terms[index - 1]?.to ?? 0)
  }
}

/** A client whose connections the test can break. */
async function brittle(): Promise<{ client: KubeClient; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(sharedCluster().server)
  atEnd(() => proxy.close())
  return { client: openClient(configOf(undefined, proxy.url)), proxy }
}

describe('leader election', () => {
  test('of three candidates one leads, and each hands over to the next at once when it stops', async () => {
    const terms: Term[] = []
    const candidates = ['a', 'b', 'c'].map((identity) => candidate('three', identity, terms))
    for (let round = 1; round <= 3; round++) {
      await eventually(() => expect(terms).toHaveLength(round))
      await candidates.find(({ leads }) => leads)?.end()
      // Released, so that nobody has to wait until it expires.
      expect((await leaseOf('three')).spec.holderIdentity).not.toBe(terms[round - 1]?.identity)
    }
    expectNoOverlap(terms)
    expect(new Set(terms.map(({ identity }) => identity)).size).toBe(3)
    expect((await leaseOf('three')).spec).toMatchObject({ leaseDurationSeconds: 1, leaseTransitions: 2 })
    expect((await leaseOf('three')).spec.holderIdentity ?? '').toBe('')
  })

  test('a leader renews its lease, and keeps it against the others', async () => {
    const terms: Term[] = []
    candidate('renewed', 'a', terms)
    await eventually(() => expect(terms).toHaveLength(1))
    const { spec: before } = await leaseOf('renewed')
    candidate('renewed', 'b', terms)
    await eventually(async () => {
      const { spec: after } = await leaseOf('renewed')
      const seconds = (Date.parse(after.renewTime) - Date.parse(before.renewTime)) / 1000
      expect(seconds).toBeGreaterThan(times.durationSeconds * 1.5)
      expect(after).toMatchObject({ holderIdentity: 'a', acquireTime: before.acquireTime, leaseTransitions: 0 })
      expect(after.renewTime).toMatch(/\.\d{6}Z$/)
    })
    expect(terms).toHaveLength(1)
  })

  test.each(['refused', 'frozen'])(
    'a leader whose connections are %s stops before anybody else can lead, and comes back later',
    async (how) => {
      const name = `cut-${how}`
      const terms: Term[] = []
      const { client, proxy } = await brittle()
      const first = candidate(name, 'first', terms, { client, times: short })
      await eventually(() => expect(terms).toHaveLength(1))
      const second = candidate(name, 'second', terms, { times: short })
      let frozen = how === 'frozen'
      proxy.refuse(how === 'refused')
      // New connections freeze as well, as when a cable is pulled.
      while (terms.length < 2) {
        if (frozen) proxy.freeze()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      frozen = false
      expectNoOverlap(terms)
      expect(terms.map(({ identity }) => identity)).toEqual(['first', 'second'])
      expect(first.lines.map(({ level, message }) => `${level} ${message}`)).toContain('error the lease is lost')
      proxy.refuse(false)
      await second.end()
      await eventually(() => expect(terms).toHaveLength(3))
      expectNoOverlap(terms)
      expect(terms[2]?.identity).toBe('first')
    },
  )

  test('somebody who writes into the lease of a leader does not end its term', async () => {
    const terms: Term[] = []
    const leader = candidate('touched', 'a', terms)
    await eventually(() => expect(terms).toHaveLength(1))
    await admin.mergePatch(leasePath('touched'), { metadata: { labels: { touched: 'true' } } }, manager)
    const { spec: before } = await leaseOf('touched')
    await eventually(async () => expect((await leaseOf('touched')).spec.renewTime).not.toBe(before.renewTime))
    expect(leader.leads).toBe(true)
  })

  test('a leader whose lease was taken by force stops at once', async () => {
    const terms: Term[] = []
    const leader = candidate('stolen', 'a', terms)
    await eventually(() => expect(terms).toHaveLength(1))
    await admin.mergePatch(leasePath('stolen'), { spec: { holderIdentity: 'thief' } }, manager)
    await eventually(() => expect(leader.leads).toBe(false))
    await leader.end()
    expect((await leaseOf('stolen')).spec.holderIdentity).toBe('thief')
  })

  test('work that ends with a refused write is no failure: the candidacy goes on', async () => {
    const { log } = recordingLog()
    const stop = new AbortController()
    const options = { client: admin, namespace, name: 'refused', identity: 'a', log, signal: stop.signal, times }
    let terms = 0
    const ended = lead(options, async (term) => {
      terms++
      await once(term.leading, 'abort')
      assertLeading(term)
    })
    await eventually(() => expect(terms).toBe(1))
    const thief = { holderIdentity: 'thief', leaseDurationSeconds: 1 }
    await admin.mergePatch(leasePath('refused'), { spec: thief }, manager)
    await eventually(() => expect(terms).toBe(2))
    stop.abort()
    await ended
  })

  test('a lease that was deleted is made again by its leader', async () => {
    const terms: Term[] = []
    const leader = candidate('deleted', 'a', terms)
    await eventually(() => expect(terms).toHaveLength(1))
    await admin.delete(leasePath('deleted'))
    await eventually(async () => expect((await leaseOf('deleted')).spec.holderIdentity).toBe('a'))
    expect(leader.leads).toBe(true)
  })

  test('work that ends by itself ends the candidacy; what it throws is passed on, and the lease released', async () => {
    const { log } = recordingLog()
    const signal = new AbortController().signal
    const options = { client: admin, namespace, log, signal, times }
    await lead({ ...options, name: 'done', identity: randomUUID() }, async () => undefined)
    const failing = lead({ ...options, name: 'failed', identity: randomUUID() }, async () => {
      throw new Error('boom')
    })
    await expect(failing).rejects.toThrow('boom')
    for (const name of ['done', 'failed']) expect((await leaseOf(name)).spec.holderIdentity ?? '').toBe('')
  })

  test('a candidate that is stopped while it waits never works', async () => {
    const terms: Term[] = []
    candidate('waiting', 'a', terms)
    await eventually(() => expect(terms).toHaveLength(1))
    const waiting = candidate('waiting', 'b', terms)
    await eventually(() => expect(waiting.lines.map(({ fields }) => fields.holder)).toContain('a'))
    await waiting.end()
    expect(terms).toHaveLength(1)
    expect((await leaseOf('waiting')).spec.holderIdentity).toBe('a')
  })
})

describe('the lock', () => {
  const open = (name: string, identity: string, durationSeconds = 3) =>
    new LeaseLock({ client: admin, namespace, name, identity, durationSeconds, timeoutMs: 5_000 })

  test('of many who try at once exactly one gets it, for a new lease and for an expired one', async () => {
    const locks = Array.from({ length: 10 }, (_, index) => open('raced', `lock-${index}`))
    const winners = async () => (await Promise.all(locks.map((lock) => lock.tryHold()))).filter(Boolean).length
    expect(await winners()).toBe(1)
    await admin.mergePatch(leasePath('raced'), { spec: { holderIdentity: 'gone', leaseDurationSeconds: 1 } }, manager)
    const first = open('raced', 'late')
    expect(await first.tryHold()).toBe(false)
    await eventually(async () => expect(await winners()).toBe(1))
  })

  test('a lease whose holder writes with another clock does not look expired, nor alive', async () => {
    const hour = 3_600_000
    for (const offset of [-hour, hour]) {
      const name = `clock${offset}`
      const renewTime = new Date(Date.now() + offset).toISOString().replace('Z', '000Z')
      const spec = { holderIdentity: 'other', leaseDurationSeconds: 1, renewTime }
      await admin.create(leasePath(name).replace(/\/[^/]*$/, ''), { metadata: { name }, spec }, manager)
      const lock = open(name, 'me')
      const seen = performance.now()
      expect(await lock.tryHold()).toBe(false)
      await eventually(async () => expect(await lock.tryHold()).toBe(true))
      expect(performance.now() - seen).toBeGreaterThan(1_000)
    }
  })
})
