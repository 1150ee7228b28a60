/**
 * The ConfigMap of trusted registries has several writers: people or a GitOps tool write keys of theirs, the operator one.
 * Nobody loses anything to the other, and whoever wants the operator's key otherwise is met with few writes; on a cluster
 * of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { trustedManager } from '../../src/api/names.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isConflict } from '../../src/kube/api-error.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import { maxLines } from '../../src/model/trusted-lines.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { inParallel } from '../support/in-parallel.ts'
import { Lab, operatorNamespace } from './lab.ts'
import { rivalManager } from './rival.ts'
import { requestsSince } from './traffic.ts'

const role = 'config/policies/trusted-registries-from-credentials/role.yaml'
const name = 'trusted-registries'
const path = `/api/v1/namespaces/${operatorNamespace}/configmaps/${name}`
/** As long as a contended object waits at most while a test fights for it. */
const patient = { timeoutMs: 100_000 }

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

const start = (replica = false) => startOperator({ cluster, replica, args: [`--trusted-registries=${name}`] })

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  await cluster.kubectl('apply', '--server-side', '-f', role)
  lab = new Lab(cluster)
  operator = await start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterEach(async () => {
  const { items } = await lab.client.get<KubeList<KubeObject>>(credentialsPath)
  await inParallel(items ?? [], 16, ({ metadata }) => lab.deleteCredential(metadata.name))
  await listed()
})

afterAll(async () => {
  await lab.close()
  await operator.stop()
  await cluster.stop()
})

/** As a GitOps tool does it: these keys, by force. */
async function write(data: Record<string, string>, fieldManager = 'git'): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
  await lab.client.apply(path, object, { fieldManager, force: true })
}

async function data(): Promise<Record<string, string>> {
  return (await lab.client.get<ConfigMap>(path)).data ?? {}
}

async function listed(...lines: string[]): Promise<void> {
  await eventually(async () => expect((await data()).credentials ?? '').toBe(lines.join('\n')), patient)
}

async function credentialFor(prefix: string, registries: string[]): Promise<string> {
  return await lab.credential(prefix, { source: { secretRef: { name: 'none' } }, registries })
}

/** The operator's, by their answers. */
async function writesSince(time: Date): Promise<number[]> {
  const requests = await requestsSince(cluster, time)
  return requests.flatMap(({ verb, resource, code }) => (verb === 'patch' && resource === 'configmaps' ? [code] : []))
}

function told(logs: string): string[] {
  return logs.split('\n').filter((line) => line.includes('changed back again and again'))
}

async function repeatedly(ms: number, everyMs: number, work: () => Promise<void>): Promise<number> {
  let rounds = 0
  for (const until = Date.now() + ms; Date.now() < until; await sleep(everyMs)) {
    await work()
    rounds++
  }
  return rounds
}

test('of what two writers put into their keys meanwhile, nothing is lost while lines come and go', async () => {
  const since = new Date()
  let done = false
  const edits = async (key: string, edit: (round: number) => Promise<void>) => {
    for (let round = 1; !done; round++) {
      await edit(round)
      expect((await data())[key]).toBe(`${round}`)
    }
  }
  /** As a careful controller does it, with the version that it has read. */
  const annotate = async (round: number): Promise<void> => {
    for (;;) {
      const { metadata } = await lab.client.get<ConfigMap>(path)
      const change = { metadata: { resourceVersion: metadata.resourceVersion }, data: { digests: `${round}` } }
      try {
        return await lab.patch(path, change)
      } catch (error) {
        if (!isConflict(error)) throw error
      }
    }
  }
  await write({ registries: '0' })
  const others = Promise.all([
    edits('registries', (round) => write({ registries: `${round}` })),
    edits('digests', annotate),
  ])
  for (let round = 1; round <= 25; round++) {
    const credential = await credentialFor(`tide-${round}`, [`tide-${round}.example.com`])
    await listed(`tide-${round}.example.com`)
    await lab.deleteCredential(credential)
    await listed()
  }
  done = true
  await others
  const writes = await writesSince(since)
  expect(writes.length).toBeLessThanOrEqual(50)
  expect(new Set(writes)).toEqual(new Set([200]))
  const { metadata } = await lab.client.get<ConfigMap>(path)
  const owned = metadata.managedFields?.find(({ manager }) => manager === trustedManager)
  expect(owned?.fieldsV1).toEqual({ 'f:data': { 'f:credentials': {} } })
  expect(told(operator.logs())).toEqual([])
})

test('a rival that wants the key otherwise is met with few writes, named once, and outlasted', async () => {
  const credential = await credentialFor('rival', ['rival.example.com'])
  await listed('rival.example.com')
  const since = new Date()
  const rounds = await repeatedly(15_000, 200, () =>
    write({ registries: 'of.git.example.com', credentials: 'evil.example.com' }, rivalManager),
  )
  expect(rounds).toBeGreaterThan(10)
  const writes = await writesSince(since)
  expect(writes.length).toBeGreaterThan(5)
  expect(writes.length).toBeLessThanOrEqual(12)
  expect(told(operator.logs())).toEqual([expect.stringContaining(`"by":"${rivalManager}"`)])
  expect(told(operator.logs())[0]).toContain('leave the key credentials out of what is applied')

  // What the operator itself wants otherwise is not what was fought about.
  await lab.patchCredential(credential, { registries: ['other.example.com'] })
  await eventually(async () => expect((await data()).credentials).toBe('other.example.com'), patient)
  expect((await data()).registries).toBe('of.git.example.com')
})

test('a rival that keeps deleting the ConfigMap is met with few writes, and it comes back with the key alone', async () => {
  await credentialFor('deleted', ['deleted.example.com'])
  await listed('deleted.example.com')
  const since = new Date()
  await repeatedly(15_000, 200, async () => {
    await cluster.kubectl('delete', '--ignore-not-found', '-n', operatorNamespace, 'configmap', name)
  })
  expect((await writesSince(since)).length).toBeLessThanOrEqual(12)
  await eventually(async () => expect(await data()).toEqual({ credentials: 'deleted.example.com' }), patient)
})

test('a ConfigMap that nobody can change any more is told of, and is right as soon as it can be', async () => {
  await lab.client.delete(path)
  await write({ registries: 'people.example.com' })
  await lab.patch(path, { immutable: true })
  await credentialFor('immutable', ['immutable.example.com'])
  await eventually(() => expect(operator.logs()).toMatch(/reconcile failed.*trusted-registries.*immutable/))
  expect(await data()).toEqual({ registries: 'people.example.com' })
  await lab.client.delete(path)
  await write({ registries: 'people.example.com' })
  await listed('immutable.example.com')
  expect((await data()).registries).toBe('people.example.com')
})

test('one that others have filled up is told of, and is right as soon as there is room', async () => {
  await write({ registries: `people.example.com #${'x'.repeat(1024 * 1024 - 60)}` })
  await credentialFor(
    'full',
    Array.from({ length: 20 }, (_, index) => `full-${index}.example.com`),
  )
  await eventually(() => expect(operator.logs()).toMatch(/reconcile failed.*trusted-registries.*may not be more than/))
  await write({ registries: 'people.example.com' })
  await eventually(async () => expect((await data()).credentials).toContain('full-19.example.com'), patient)
})

test('a thousand credentials that come at once are a list of as many lines as it holds, in few writes', async () => {
  const since = new Date()
  const each = Array.from({ length: 1000 }, (_, index) => `r-${`${index}`.padStart(4, '0')}.example.com`)
  await inParallel(each, 16, async (registry) => void (await credentialFor(registry, [registry])))
  await listed(...each.slice(0, maxLines))
  expect((await writesSince(since)).length).toBeLessThan(500)
  const leftOut = () =>
    operator
      .logs()
      .split('\n')
      .filter((line) => line.includes('not put on the list'))
  await eventually(() => expect(leftOut().at(-1)).toMatch(/r-0519\.example\.com and 480 more/))
  expect(Math.max(...leftOut().map(({ length }) => length))).toBeLessThan(2_000)
})

test('of two operators one keeps it, and the other goes on where the first was killed', async () => {
  expect(await operator.stop()).toBe(0)
  const since = new Date()
  const first = await start(true)
  const credential = await credentialFor('two', ['two.example.com'])
  await listed('two.example.com')
  operator = await start(true)
  await sleep(2_000)
  expect(await writesSince(since)).toEqual([200])
  await first.kill()
  await write({ registries: 'git.example.com', credentials: 'evil.example.com' })
  await listed('two.example.com')
  await lab.patchCredential(credential, { registries: ['after.example.com'] })
  await listed('after.example.com')
  await eventually(async () => expect(await writesSince(since)).toEqual([200, 200, 200]))
})
