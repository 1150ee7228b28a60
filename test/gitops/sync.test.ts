/**
 * Peace with Argo CD and Flux: they apply with force every second for a minute, and nothing flaps, nobody loses an entry,
 * and nothing is written that need not be. All of them at the same time, each in a namespace of its own.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { follow } from '../controller/history.ts'
import { Lab, unverified } from '../controller/lab.ts'
import { type Rival, rivalManager, startRival } from '../controller/rival.ts'
import { describe, isWrite, requestsSince } from '../controller/traffic.ts'

const everyMs = 1_000
const minuteMs = 60_000
/** As label tracking puts it on everything that is applied. */
const labels = { 'app.kubernetes.io/instance': 'web' }

let lab: Lab
let operator: RunningOperator
let source: string
/** Git describes the ServiceAccount without a list, with one, and with one that is empty. */
let silent: string
let listed: string
let emptied: string

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
  source = await lab.source('sync', { 'ghcr.io': { username: 'robot', password: 'sync-login' } })
  silent = await lab.namespace('sync-silent', labels)
  listed = await lab.namespace('sync-listed', labels)
  emptied = await lab.namespace('sync-emptied', labels)
  const credential = await lab.credential('sync', {
    source: { secretRef: { name: source } },
    namespaces: { include: [silent, listed, emptied], optIn: true },
  })
  await lab.ready(credential)
  for (const namespace of [silent, listed, emptied]) {
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  }
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

/** Every list that the ServiceAccount of a namespace has from now on, its names joined, as a watch shows them. */
function follows(namespace: string): Set<string> {
  const lists = new Set<string>()
  const query = { fieldSelector: 'metadata.name=default', watch: true, timeoutSeconds: 600 }
  const onLine = (line: string) => {
    const { object } = JSON.parse(line) as { object: { imagePullSecrets?: { name: string }[] } }
    lists.add((object.imagePullSecrets ?? []).map(({ name }) => name).join())
  }
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  void lab.client.watch(path, { query, onLine }).catch(() => {}) // the lab was closed
  return lists
}

/** Applies a credential with force, over and over, until it is stopped. */
function startSync(name: string, spec: object): Pick<Rival, 'stop'> & { readonly times: number } {
  const manifest = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata: { name, labels }, spec }
  const stopping = new AbortController()
  let times = 0
  const work = async () => {
    while (!stopping.signal.aborted) {
      await lab.client.apply(`${credentialsPath}/${name}`, manifest, { fieldManager: rivalManager, force: true })
      times++
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const done = work()
  return {
    get times() {
      return times
    },
    async stop() {
      stopping.abort()
      await done
    },
  }
}

test('a minute of syncs every second', async () => {
  const spec = { source: { secretRef: { name: source } }, namespaces: { optIn: true } }
  const applied = await lab.credential('applied', spec)
  await lab.ready(applied)
  const all = [silent, listed, emptied]
  const secrets = await Promise.all(all.map((namespace) => lab.secret(namespace)))
  const seen = { silent: follows(silent), listed: follows(listed), emptied: follows(emptied) }
  const rival = (namespace: string, list: readonly string[] | undefined) =>
    startRival(lab, { namespace, list, everyMs, labels })
  const rivals = {
    silent: rival(silent, undefined),
    listed: rival(listed, ['git-1', 'git-2']),
    emptied: rival(emptied, []),
  }
  const sync = startSync(applied, { ...unverified, ...spec })
  const leastTimes = () => Math.min(sync.times, ...Object.values(rivals).map(({ answers }) => answers.length))

  // The first syncs change labels and owners of fields; from then on nothing is new.
  await eventually(() => expect(leastTimes()).toBeGreaterThan(2))
  const { generation } = (await lab.ready(applied)).metadata
  const history = follow(lab, applied)
  const since = new Date()
  await delay(minuteMs)
  await Promise.all([sync, ...Object.values(rivals)].map((each) => each.stop()))
  const writes = (await requestsSince(lab.cluster, since)).filter(isWrite)
  const writesTo = (namespace: string) => writes.filter((each) => each.namespace === namespace).map(describe)
  const answersTo = ({ answers }: Rival) => new Set(answers.map((names) => names.join()))
  expect(leastTimes()).toBeGreaterThan(minuteMs / everyMs / 2)

  // Git that is silent about the list: our entry is in every answer, and it takes nobody's write to keep it there.
  expect(writesTo(silent)).toEqual([])
  expect([seen.silent, answersTo(rivals.silent)]).toEqual([new Set(['regcred']), new Set(['regcred'])])

  // Git with a list: its entries are never lost, whether ours comes back at once, later (test/controller counts how often)
  // or, by the admission policy, is never gone.
  for (const list of [...seen.listed, ...answersTo(rivals.listed)]) {
    expect(['regcred', 'git-1,git-2', 'git-1,git-2,regcred']).toContain(list)
  }
  expect(seen.listed).toContain('git-1,git-2,regcred')
  for (const list of [...seen.emptied, ...answersTo(rivals.emptied)]) expect(['', 'regcred']).toContain(list)
  for (const [namespace, { answers }] of [
    [listed, rivals.listed],
    [emptied, rivals.emptied],
  ] as const) {
    const repairs = writesTo(namespace).filter((write) => write.startsWith('patch serviceaccounts '))
    expect(repairs.filter((write) => write.endsWith(' 200')).length).toBeLessThanOrEqual(answers.length)
    const others = writesTo(namespace).filter((write) => !repairs.includes(write))
    expect(others.filter((write) => !/^(create|patch) events /.test(write))).toEqual([])
  }
  expect(await Promise.all(all.map((namespace) => lab.secret(namespace)))).toEqual(secrets)

  // The credential itself: nobody fights over status and finalizer, and no generation is added.
  expect(writes.filter(({ name }) => name.startsWith(applied)).map(describe)).toEqual([])
  expect(new Set(history.versions.map(({ metadata }) => metadata.generation))).toEqual(new Set([generation]))
  expect((await lab.ready(applied)).metadata.finalizers).toEqual(['regcred.dev/references'])
})
