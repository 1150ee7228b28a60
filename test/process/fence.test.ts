/**
 * The end of a term in the middle of a fan-out: whoever may not write any more begins no write, wherever in its
 * reconciles it is. The leader talks to the API server through a proxy that holds its writes back; the other one directly.
 */
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { operatorName } from '../../src/api/names.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { isWrite, requestsSince } from '../controller/traffic.ts'
import type { Forwarded, HttpProxy } from '../kube/http-proxy.ts'
import { linesOf, troubleIn } from './program.ts'
import { startProxy } from './proxied.ts'

/** Namespaces, all worked on at the same time. Fewer than connections (32): the status needs one too. */
const count = 12
/** In each namespace: the default one, and more, so that a reconcile has several writes to make. */
const serviceAccounts = ['default', 'builder', 'runner']

interface Held {
  response: ServerResponse
  forward(): Promise<Forwarded>
}

let cluster: OwnedCluster
let lab: Lab
let kubeconfig: string
let proxy: HttpProxy
let operators: RunningOperator[]

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  ;({ proxy, kubeconfig } = await startProxy(cluster))
})

afterEach(async () => {
  proxy.interfere = () => undefined
  await Promise.all(operators.map((operator) => operator.kill()))
  // Nobody is there to release it, and the next test need not wait until it expires.
  await lab.client.delete(`/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/${operatorName}`)
})

afterAll(async () => {
  await lab.close()
  await proxy.close()
  await cluster.stop()
})

const isLease = (pathname: string) => pathname.includes('/leases')

/** What the leader has sent to change something other than its Lease, the first `from` requests left out. */
const writesFrom = (from: number) =>
  proxy.requests
    .slice(from)
    .filter(({ method, url }) => method !== 'GET' && !isLease(url.pathname) && !url.pathname.includes('/events'))
    .map(({ method, url }) => `${method} ${url.pathname}`)

const leads = async (operator: RunningOperator) =>
  /^leader_election_master_status\{.*\} 1$/m.test(await operator.metrics())

/** Starts a leader and a follower, and a fan-out that stops in its middle: each namespace has a write under way, held back. */
async function stuckFanOut(name: string, concurrency = 32) {
  const args = ['--log-level=debug', `--concurrency=${concurrency}`]
  const leader = await startOperator({ cluster, kubeconfig, replica: true, args })
  operators = [leader]
  await eventually(() => leads(leader))
  const follower = await startOperator({ cluster, replica: true })
  operators.push(follower)

  const namespaces = await Promise.all(Array.from({ length: count }, (_, index) => lab.namespace(`${name}-${index}`)))
  for (const namespace of namespaces) {
    for (const each of serviceAccounts.slice(1)) {
      await lab.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: each } })
    }
  }
  const held: Held[] = []
  proxy.interfere = (method, { pathname }) => {
    // The Secrets pass, so that there is a middle.
    if (method === 'GET' || !pathname.includes('/serviceaccounts/')) return undefined
    return (response, forward) => void held.push({ response, forward })
  }
  const begin = new Date()
  const source = await lab.source(name, { 'ghcr.io': { username: 'robot', password: `${name}-login` } })
  const credential = await lab.credential(name, {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique(`${name}-*`)], optIn: true },
    serviceAccounts: ['*'],
  })
  await eventually(() => expect(held).toHaveLength(Math.min(count, concurrency)))
  /** By both together. */
  const writes = async () => {
    const requests = await requestsSince(cluster, begin)
    return requests.filter((each) => isWrite(each) && namespaces.includes(each.namespace))
  }
  return { leader, follower, namespaces, held, credential, writes }
}

/** The only status until it goes on has been written: it must not come in the middle of a test. */
async function fanOutInItsMiddle(name: string) {
  const fanOut = await stuckFanOut(name)
  await eventually(async () => {
    const { status } = await lab.readCredential(fanOut.credential)
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'Progressing' }))
  })
  return fanOut
}

/** The other one has done everything, and nothing was written twice. */
async function expectCompleted({ namespaces, credential, writes }: Awaited<ReturnType<typeof stuckFanOut>>) {
  const { status } = await lab.ready(credential)
  expect(status?.namespaces).toMatchObject({ selected: count, synced: count })
  expect(status?.serviceAccounts).toMatchObject({ linked: count * serviceAccounts.length })
  const done = await writes()
  expect(done.filter(({ code }) => code !== 200 && code !== 201)).toEqual([])
  expect(done).toHaveLength(namespaces.length * (1 + serviceAccounts.length))
}

async function release({ response, forward }: Held): Promise<void> {
  const { code, body } = await forward()
  response.writeHead(code, { 'content-type': 'application/json' }).end(body)
}

test('a leader that is cut off from its Lease gives up what it writes when it has lost it, and writes nothing more', async () => {
  const fanOut = await fanOutInItsMiddle('partition')
  const { leader, follower, held } = fanOut
  const pass = proxy.interfere
  proxy.interfere = (method, url) => (isLease(url.pathname) ? () => undefined : pass(method, url))
  await eventually(() => expect(held.every(({ response }) => response.closed)).toBe(true))
  const lostAt = proxy.requests.length
  await eventually(() => leads(follower))
  await eventually(async () => expect(await leads(leader)).toBe(false))
  const ofTheLeader = /^(regcred_credential_failing|workqueue_depth)\{/m
  expect(await leader.metrics()).not.toMatch(ofTheLeader) // of a credential the leader alone knows what is so now
  await eventually(async () => expect(await follower.metrics()).toMatch(ofTheLeader))
  expect(held).toHaveLength(count)
  expect(writesFrom(lostAt)).toEqual([])
  // The lease is all that it complains about; that its reconciles were given up is no trouble.
  expect(troubleIn(leader.logs()).filter(({ message }) => !/lease/.test(message))).toEqual([])
  expect(leader.logs()).toContain('reconcile given up')
  await expectCompleted(fanOut)
})

test('a leader that was frozen until another one leads writes nothing when it goes on', async () => {
  const fanOut = await fanOutInItsMiddle('frozen')
  const { leader, follower, held } = fanOut
  leader.signal('SIGSTOP')
  // The answers wait for it: after each it would write the next object.
  await Promise.all(held.map(release))
  await eventually(() => leads(follower))
  await expectCompleted(fanOut)
  const lostAt = proxy.requests.length
  leader.signal('SIGCONT')
  await eventually(async () => expect(await leads(leader)).toBe(false))
  expect(writesFrom(lostAt)).toEqual([])
})

test('a leader that is told to stop lets the writes under way end, and begins no other', async () => {
  const fanOut = await fanOutInItsMiddle('stop')
  const { leader, held } = fanOut
  const stopped = leader.stop()
  await eventually(() => expect(leader.logs()).toContain('"stopping"'))
  const toldAt = proxy.requests.length
  await Promise.all(held.map(release))
  expect(await stopped).toBe(0)
  expect(writesFrom(toldAt)).toEqual([])
  const done = await fanOut.writes()
  expect(done.filter(({ code }) => code !== 200 && code !== 201)).toEqual([])
  expect(troubleIn(leader.logs())).toEqual([])
  await expectCompleted(fanOut)
})

test('a leader all of whose connections wait for slow answers keeps its Lease', async () => {
  const { leader } = await stuckFanOut('slow', 2)
  const from = proxy.requests.length
  const renewals = () =>
    proxy.requests.slice(from).filter(({ method, url }) => method === 'PATCH' && isLease(url.pathname))
  // One every two seconds: together longer than a leader may go without.
  await eventually(() => expect(renewals().length).toBeGreaterThan(5))
  expect(await leads(leader)).toBe(true)
  expect(leader.logs()).not.toContain('the lease is lost')
})

test('what a leader writes to a credential itself is given up as well when the lease is lost', async () => {
  const leader = await startOperator({ cluster, kubeconfig, replica: true, args: ['--log-level=debug'] })
  operators = [leader]
  await eventually(() => leads(leader))
  // The first is there before, so that the controller is at work: it tells no status before it has read all credentials.
  const spec = { source: { secretRef: { name: 'none' } } }
  const status = await lab.credential('cut-status', spec)
  await lab.condition(status, 'Ready', 'False')
  const names = { status, credential: lab.unique('cut-finalizer') }
  const held: string[] = []
  proxy.interfere = (method, { pathname }) => {
    if (method === 'GET') return undefined
    if (pathname.endsWith(`/${names.status}/status`)) return () => void held.push('status')
    return pathname.endsWith(`/${names.credential}`) ? () => void held.push('credential') : undefined
  }
  await lab.patchCredential(status, { priority: 1 })
  await lab.credential('cut-finalizer', spec)
  await eventually(() => expect([...held].sort()).toEqual(['credential', 'status']))
  const pass = proxy.interfere
  proxy.interfere = (method, url) => (isLease(url.pathname) ? () => undefined : pass(method, url))
  await eventually(async () => expect(await leads(leader)).toBe(false))
  const givenUp = linesOf(leader.logs()).filter(({ message }) => message === 'reconcile given up')
  // At once, and not when they would have timed out.
  for (const [loop, name] of Object.entries(names)) {
    expect(givenUp).toContainEqual(
      expect.objectContaining({ [loop]: name, error: expect.objectContaining({ name: 'LeaseLostError' }) }),
    )
  }
})
