/**
 * Names that come and go, many and fast: nothing of them stays in the operator's memory. The heap is searched for the
 * names themselves, which finds every forgotten key of a queue, a cache or a map.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, secretPath } from '../controller/lab.ts'
import { type Api, openApi } from '../support/api.ts'
import { randomOf, seed } from '../support/random.ts'
import { scaled } from './fault.ts'
import { type Memory, probe, withProbe } from './memory.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'

const seconds = scaled({ quick: 10, long: 120 })
const namespacesPerSecond = 20
const credentialsPerSecond = 4
/** Bookmarks, after which a watch forgets the uids of what is gone, come about once a minute; the names go at once. */
const settleMs = scaled({ quick: 3_000, long: 75_000 })

const random = randomOf('churn')
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
    const uids = new Set<string>()
    await churn('namespaces', namespacesPerSecond, async (index) => {
      const name = `churn-${index}-${seed}`
      await api('POST', '/api/v1/namespaces', { metadata: { name } })
      await sleep(3_000 * random())
      const secret = await api('GET', secretPath(name))
      if (secret.body.metadata?.uid) uids.add(secret.body.metadata.uid)
      await end(name)
    })
    expect(uids.size).toBeGreaterThan((seconds * namespacesPerSecond) / 4) // or there was nothing to forget
    expect(await lab.logins(stays)).toEqual(login)
  },
  FAULT_TIMEOUT_MS,
)

test(
  'credentials that come and go leave nothing in memory, and no login where it was kept',
  async () => {
    const namespace = await lab.namespace('churned')
    await eventually(() => lab.serviceAccount(namespace))
    const source = await lab.source('churned', login)
    const spec = { source: { secretRef: { name: source } }, namespaces: { include: [namespace], optIn: true } }
    await churn('credentials', credentialsPerSecond, async (index) => {
      const name = await lab.credential(`churn-${index}-${seed}`, spec)
      await sleep(index % 2 === 0 ? 0 : 1_000 * random())
      await lab.deleteCredential(name)
    })
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
    const { items = [] } = (await api('GET', `/api/v1/namespaces/${operatorNamespace}/secrets`)).body
    expect(items.filter(({ type, data }) => type === 'regcred.dev/state' && data !== undefined)).toEqual([])
  },
  FAULT_TIMEOUT_MS,
)

/** Makes so many a second come and go, waits until all are gone, and looks for what is left of them. */
async function churn(what: string, perSecond: number, one: (index: number) => Promise<void>): Promise<void> {
  const pattern = new RegExp(`churn-\\d+-${seed}`, 'g')
  const warmUp = 2 * perSecond
  let index = 0
  const run = async (count: number) => {
    const running: Promise<void>[] = []
    for (const last = index + count; index < last; index++) {
      running.push(one(index))
      await sleep(1000 / perSecond)
    }
    await Promise.all(running)
    await eventually(async () => expect(await leftOf(what, pattern)).toEqual([]), { timeoutMs: 600_000 })
    await sleep(settleMs)
  }
  await run(warmUp)
  const before = await probe(cluster, operator, pattern)
  await run(seconds * perSecond)
  const after = await probe(cluster, operator, pattern)
  report(what, index - warmUp, before, after)
  expect(await operator.metrics()).not.toMatch(/^regcred_workqueue_depth\{.*\} [1-9]/m)
  // A few may be in the last line of a buffer, or in an Event that may yet be repeated.
  expect(after.found.size).toBeLessThan(10)
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2)
  expect(after.handles).toBeLessThanOrEqual(before.handles + 4)
  expect(after.heapUsed).toBeLessThan(before.heapUsed * 1.15)
}

async function leftOf(what: string, pattern: RegExp): Promise<string[]> {
  const path = what === 'namespaces' ? '/api/v1/namespaces' : '/apis/regcred.dev/v1/registrycredentials'
  const { items = [] } = (await api('GET', path)).body
  return items.map(({ metadata }) => metadata?.name ?? '').filter((name) => name.match(pattern))
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

function report(what: string, count: number, before: Memory, after: Memory & { found: Set<string> }): void {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  const line = [
    `${count} ${what} come and go`,
    `heap ${mebibytes(before.heapUsed)} → ${mebibytes(after.heapUsed)} MiB`,
    `RSS ${mebibytes(before.rss)} → ${mebibytes(after.rss)} MiB`,
    `timers ${before.timers} → ${after.timers}`,
    `handles ${before.handles} → ${after.handles}`,
    `names left ${after.found.size}`,
  ].join(' | ')
  process.stderr.write(`| ${line} | SEED=${seed}\n`)
}
