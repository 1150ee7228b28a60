/**
 * Names that come and go, many and fast: nothing of them stays in the operator's memory. The heap is searched for the
 * names themselves, which finds every forgotten key of a queue, a cache or a map.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, secretPath, unverified } from '../controller/lab.ts'
import { type Api, openApi } from '../support/api.ts'
import { Random, seed } from '../support/random.ts'
import { isLong, scaled } from '../support/scale.ts'
import { heldOf, type Memory, probe, withProbe } from './memory.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'

const seconds = scaled({ quick: 10, long: 120 })
const namespacesPerSecond = 20
const credentialsPerSecond = 4
/** Bookmarks, after which a watch forgets the uids of what is gone, come about once a minute; the names go at once. */
const bookmarksMs = 75_000
/** A watch has the last line it has read; a string of a metric's labels may be a part of the first path they were seen in. */
const maxHeld = 12
/** An Event that is told again within six minutes is one of a series. */
const eventsMs = 400_000

const random = Random.of('churn')
const login = { 'ghcr.io': { username: 'robot', password: 'password-of-churn' } }

let cluster: OwnedCluster
let lab: Lab
let api: Api
let operator: RunningOperator

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  api = openApi(cluster.adminKubeconfig)
})

afterAll(() => cluster.stop())

beforeEach(async () => {
  lab = new Lab(cluster)
  operator = await startOperator(withProbe(cluster))
})

afterEach(async () => {
  await operator.stop()
  await lab.close()
})

test(
  'namespaces that come and go, 20 a second, leave nothing in memory',
  async () => {
    const source = await lab.source('churn', login)
    const include = [lab.unique('stays'), 'churn-*']
    await lab.credential('churn', { source: { secretRef: { name: source } }, namespaces: { include, optIn: true } })
    const stays = await lab.namespace('stays')
    await eventually(async () => expect(await lab.logins(stays)).toEqual(login))
    let served = 0
    await churn('namespaces', namespacesPerSecond, bookmarksMs, async (name) => {
      await api('POST', '/api/v1/namespaces', { metadata: { name } })
      await sleep(3_000 * random.fraction())
      const { uid } = (await api('GET', secretPath(name))).body.metadata ?? {}
      if (uid) served++
      await end(name)
      return uid
    })
    expect(served).toBeGreaterThan((seconds * namespacesPerSecond) / 10) // or there was nothing to forget
    expect(await lab.logins(stays)).toEqual(login)
  },
  FAULT_TIMEOUT_MS,
)

test(
  'credentials that come and go leave nothing in memory, and no login where it was kept',
  async () => {
    const namespace = await lab.namespace('churned')
    const source = await lab.source('churned', login)
    const spec = {
      ...unverified,
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace], optIn: true },
    }
    await churn('credentials', credentialsPerSecond, eventsMs, async (name, index) => {
      // What Events were about is remembered for a while; the suspended cause none.
      const suspend = !isLong && index % 2 === 0
      const object = {
        apiVersion: 'regcred.dev/v1',
        kind: 'RegistryCredential',
        metadata: { name },
        spec: { ...spec, suspend },
      }
      const { metadata } = await lab.create(credentialsPath, object)
      await sleep(index % 3 === 0 ? 0 : 1_000 * random.fraction())
      await lab.deleteCredential(name)
      return isLong || suspend ? metadata.uid : undefined
    })
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
    // Forgotten after the credential is gone, and again where that was refused.
    await eventually(async () => {
      const { items = [] } = (await api('GET', `/api/v1/namespaces/${operatorNamespace}/secrets`)).body
      const states = items.filter(({ type }) => type === 'regcred.dev/state')
      expect(states.flatMap(({ data }) => Object.keys(data ?? {}))).toEqual([])
    })
  },
  FAULT_TIMEOUT_MS,
)

/**
 * Makes so many a second come and go, waits until all are gone, and looks for what is left of them.
 * @param settleMs until everything about them may be forgotten; waited for in the long run
 * @param one makes one come and go; returns a uid that must be forgotten as well, and with it the name
 */
async function churn(
  what: string,
  perSecond: number,
  settleMs: number,
  one: (name: string, index: number) => Promise<string | undefined>,
): Promise<void> {
  const forgotten = new Set<string>()
  let index = 0
  const run = async (count: number, restMs: number) => {
    const running: Promise<void>[] = []
    for (const last = index + count; index < last; index++) {
      const name = `churn-${index}-${seed}`
      const gone = async (uid: string | undefined) => {
        if (uid) forgotten.add(name)
        // The rate of Events about an object is remembered by its uid for a quarter of an hour and longer.
        if (uid && isLong && what === 'namespaces') forgotten.add(uid)
      }
      running.push(one(name, index).then(gone))
      await sleep(1000 / perSecond)
    }
    await Promise.all(running)
    await eventually(async () => expect(await leftOf(what)).toEqual([]), { timeoutMs: 600_000 })
    await eventually(async () => expect(await operator.metrics()).not.toMatch(/^workqueue_depth\{.*\} [1-9]/m))
    await sleep(restMs)
  }
  await run(2 * perSecond, 3_000)
  const before = await probe(operator)
  await run(seconds * perSecond, isLong ? settleMs : 3_000)
  const after = await probe(operator)
  const held = await heldOf(cluster, operator, forgotten)
  report(seconds * perSecond, what, before, after, held)
  expect(held.length).toBeLessThan(maxHeld)
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2)
  expect(after.handles).toBeLessThanOrEqual(before.handles + 4)
  expect(after.heapUsed).toBeLessThan(before.heapUsed * 1.15)
}

async function leftOf(what: string): Promise<string[]> {
  const path = what === 'namespaces' ? '/api/v1/namespaces' : credentialsPath
  const { items = [] } = (await api('GET', path)).body
  return items.map(({ metadata }) => metadata?.name ?? '').filter((name) => /^churn-\d/.test(name))
}

/** As the namespace controller does it, which takes 70 requests for each. */
async function end(namespace: string): Promise<void> {
  await api('DELETE', `/api/v1/namespaces/${namespace}`)
  await sleep(200)
  for (const resource of ['secrets', 'serviceaccounts'])
    await api('DELETE', `/api/v1/namespaces/${namespace}/${resource}`)
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: { finalizers: [] } }
  await api('PUT', `/api/v1/namespaces/${namespace}/finalize`, body)
}

function report(count: number, what: string, before: Memory, after: Memory, held: string[]): void {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  const line = [
    `${count} ${what} come and go`,
    `heap ${mebibytes(before.heapUsed)} → ${mebibytes(after.heapUsed)} MiB`,
    `RSS ${mebibytes(before.rss)} → ${mebibytes(after.rss)} MiB`,
    `timers ${before.timers} → ${after.timers}`,
    `handles ${before.handles} → ${after.handles}`,
    `of ${what} left ${held.length}`,
  ].join(' | ')
  process.stderr.write(`| ${line} | SEED=${seed}\n`)
}
