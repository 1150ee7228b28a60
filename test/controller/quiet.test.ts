/**
 * A settled cluster costs the API server nothing: no request but the watches and the lease, whatever happens to objects
 * that are not the operator's business.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace } from './lab.ts'
import { describe, isStanding, requestsSince } from './traffic.ts'

const count = 20
/** How long nothing may happen. */
const quietMs = 30_000

let lab: Lab
let operator: RunningOperator
let namespaces: string[]
let sources: string[]

beforeAll(async () => {
  lab = new Lab()
  namespaces = await Promise.all(Array.from({ length: count }, (_, index) => lab.namespace(`quiet-${index}`)))
  const login = { username: 'robot', password: 'quiet-login' }
  sources = [
    await lab.source('quiet-1', { 'ghcr.io': login }),
    await lab.source('quiet-2', { 'quay.io': login, 'ghcr.io': login }), // overlaps with the first
    await lab.source('quiet-3', { 'docker.io': login }),
  ]
  operator = await startOperator({ args: ['--leader-elect=true'] })
  const credentials = await Promise.all(
    sources.map((source, index) =>
      lab.credential(`quiet-${index}`, {
        source: { secretRef: { name: source } },
        namespaces: { include: [lab.unique('quiet-*')], optIn: true },
        serviceAccounts: index === 2 ? ['*'] : ['default'],
      }),
    ),
  )
  // Two that are not well have to be quiet as well: one whose source is missing, one that is not allowed to write.
  const notOwned = await lab.namespace('foreign')
  await lab.create(`/api/v1/namespaces/${notOwned}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
  })
  const first = sources[0] ?? ''
  const namespacesOf = (namespace: string) => ({ include: [namespace], optIn: true })
  const failing = await lab.credential('failing', {
    source: { secretRef: { name: first } },
    namespaces: namespacesOf(notOwned),
  })
  const waiting = await lab.credential('waiting', {
    source: { secretRef: { name: lab.unique('none') } },
    namespaces: namespacesOf(await lab.namespace('waiting')),
  })
  for (const credential of credentials) {
    const { status } = await lab.ready(credential)
    expect(status?.namespaces).toMatchObject({ selected: count, synced: count })
  }
  await lab.condition(failing, 'Ready', 'False')
  await lab.condition(waiting, 'Ready', 'False')
  // It asks once whether admission policies act, and tells.
  const asked = async () => expect(await operator.metrics()).toContain('\nregcred_admission_policies_act 0\n')
  await eventually(asked, { timeoutMs: 180_000 })
  await settled()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

/** What the operator has asked the API server for, its standing requests aside. */
async function requests(since: Date): Promise<string[]> {
  return (await requestsSince(lab.cluster, since)).filter((each) => !isStanding(each)).map(describe)
}

/** Waits until the last Events and statuses are written: counts of Events go out every 10 s. */
async function settled(): Promise<void> {
  await eventually(async () => expect(await requests(new Date(Date.now() - 12_000))).toEqual([]))
}

test('nothing changes, and nothing is asked for but watches and lease renewals', async () => {
  const since = new Date()
  await sleep(quietMs)
  expect(await requests(since)).toEqual([])
  const leases = (await requestsSince(lab.cluster, since)).filter(({ resource }) => resource === 'leases')
  expect(leases.length).toBeGreaterThan(0) // it lives, and it leads
  expect(new Set(leases.map(describe))).toEqual(new Set([`patch leases ${operatorNamespace}/regcred-operator 200`]))
})

test('what happens to objects of others leads to no request', async () => {
  const [namespace = ''] = namespaces
  const path = `/api/v1/namespaces/${namespace}`
  const metadata = { name: lab.unique('unrelated') }
  const other = { labels: { 'example.com/unrelated': 'true' }, annotations: { 'example.com/unrelated': 'true' } }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app', image: 'nginx' }] } }
  const since = new Date()
  await lab.create(`${path}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } })
  await lab.patch(`${path}/configmaps/${metadata.name}`, { data: { key: 'other' } })
  await lab.create(`${path}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'value' } })
  await lab.create(`${path}/pods`, pod)
  await lab.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata })
  await lab.patch(path, { metadata: other })
  await lab.patch(`${path}/serviceaccounts/default`, { metadata: other, secrets: [{ name: 'mounted' }] })
  await lab.patch(`${path}/secrets/regcred`, { metadata: other })
  const stranger = await lab.namespace('stranger') // selected by nobody
  await lab.client.delete(`/api/v1/namespaces/${stranger}`)
  await sleep(5_000)
  expect(await requests(since)).toEqual([])
  expect(await lab.references(namespace)).toEqual(['regcred'])
})
