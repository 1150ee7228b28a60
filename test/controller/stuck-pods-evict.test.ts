/** Pods that cannot pull are evicted where the credential and the installation say so, and no others. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/kube/objects.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { answer, first, type HttpProxy } from '../kube/http-proxy.ts'
import { startProxy } from '../process/proxied.ts'
import { Lab } from './lab.ts'
import {
  allowEvictions,
  deploy,
  evictions,
  login,
  makePod,
  missing,
  namesOf,
  pods,
  podsPath,
  reasons,
  refused,
  stuckOf,
  successor,
  wait,
} from './pods-lab.ts'

let lab: Lab
let operator: RunningOperator
let proxy: HttpProxy
let source: string
let start: Date

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('evict', login)
  const through = await startProxy(lab.cluster)
  proxy = through.proxy
  operator = await startOperator({ kubeconfig: through.kubeconfig })
  start = new Date()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
  await proxy.close()
})

async function credentialFor(namespace: string, spec: object = {}): Promise<string> {
  return await lab.credential(namespace.slice(0, 30), {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
    healPods: 'Evict',
    ...spec,
  })
}

const evictionsIn = async (namespace: string) =>
  (await evictions(lab, start)).filter((each) => each.namespace === namespace).map(({ code }) => code)

test('without the right to evict, that is told once, and the pod is reported', async () => {
  const namespace = await lab.namespace('no-right')
  const pod = await deploy(lab, namespace)
  await wait(lab, pod, missing)
  const credential = await credentialFor(namespace)
  const forbidden = await eventually(async () => {
    const events = await lab.events(credential)
    return events.find(({ reason }) => reason === 'EvictionForbidden') ?? null
  })
  expect(forbidden).toMatchObject({ type: 'Warning', note: expect.stringContaining('config/evict-pods') })
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
  await wait(lab, pod, `Back-off pulling image: ErrImagePull: ${missing}`, { reason: 'ImagePullBackOff' })
  await lab.label(namespace, { again: 'true' })
  await sleep(3_000)
  expect(await evictionsIn(namespace)).toEqual([403])
  expect(await reasons(lab, pod)).toEqual(['NotReferenced'])
  expect(operator.logs().match(/evictions in namespace/g)).toHaveLength(1)
})

describe('with config/evict-pods', () => {
  let forbid: () => Promise<void>

  beforeAll(async () => {
    forbid = await allowEvictions(lab)
  })

  afterAll(() => forbid())

  test('a pod of a Deployment is replaced by one that names the Secret, past its PodDisruptionBudget', async () => {
    const namespace = await lab.namespace('evict')
    const pod = await deploy(lab, namespace)
    await lab.create(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, {
      metadata: { name: 'web' },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
    })
    await wait(lab, pod, missing)
    const credential = await credentialFor(namespace)
    const next = await successor(lab, namespace, pod)
    expect(namesOf(next)).toEqual(['regcred'])
    await eventually(async () => expect(await reasons(lab, pod)).toEqual(['Evicted', 'NotReferenced']))
    await eventually(async () => expect(await stuckOf(lab, credential)).toBe(0))
    expect(await evictionsIn(namespace)).toEqual([201])
    expect(await operator.metrics()).toMatch(/^regcred_evictions_total\{result="evicted"\} [1-9]/m)
  })

  test('a template that has what was taken for inherited is tried once', async () => {
    const namespace = await lab.namespace('template')
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
    await lab.patch(account, { imagePullSecrets: [{ name: 'own' }] })
    const pod = await deploy(lab, namespace, { pullSecrets: ['own'] })
    await wait(lab, pod, missing)
    const credential = await credentialFor(namespace)
    const next = await successor(lab, namespace, pod)
    expect(namesOf(next)).toEqual(['own'])
    await wait(lab, next, missing)
    await eventually(async () => expect(await reasons(lab, next)).toEqual(['OwnList']))
    await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
    await sleep(8_000)
    expect(await evictionsIn(namespace)).toEqual([201])
  })

  test('a pod that was refused before the login was renewed is made anew', async () => {
    const namespace = await lab.namespace('renewed')
    const mine = await lab.source('renewed', login)
    const credential = await credentialFor(namespace, { source: { secretRef: { name: mine } } })
    await lab.ready(credential)
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
    const pod = await deploy(lab, namespace)
    expect(namesOf(pod)).toEqual(['regcred'])
    await wait(lab, pod, refused)
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(pod.metadata.creationTimestamp ?? '') + 2_000))
    await lab.rotate(mine, { 'ghcr.io': { username: 'robot', password: 'a-renewed-login' } })
    await successor(lab, namespace, pod)
    await eventually(async () => expect(await reasons(lab, pod)).toEqual(['Evicted', 'RefusedBefore']))
  })

  test('bare pods, pods of which something has run, of Jobs, and with lists of their own are never evicted', async () => {
    const [bareIn, ranIn, jobIn, ownIn] = await Promise.all(
      ['bare', 'ran', 'job', 'own'].map((name) => lab.namespace(name)),
    )
    const bare = await makePod(lab, bareIn ?? '', 'bare')
    const ran = await deploy(lab, ranIn ?? '')
    const own = await deploy(lab, ownIn ?? '', { pullSecrets: ['mine'] })
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'ghcr.io/acme/app:1' }] } }
    await lab.create(`/apis/batch/v1/namespaces/${jobIn}/jobs`, {
      metadata: { name: 'job' },
      spec: { backoffLimit: 0, template },
    })
    const job = await successor(lab, jobIn ?? '')
    await wait(lab, bare, missing)
    await wait(lab, ran, missing, { side: { state: { running: {} } } })
    await wait(lab, job, missing)
    await wait(lab, own, missing)
    const credentials = []
    for (const namespace of [bareIn, ranIn, jobIn, ownIn]) credentials.push(await credentialFor(namespace ?? ''))
    for (const credential of credentials) {
      await eventually(async () => expect([credential, await stuckOf(lab, credential)]).toEqual([credential, 1]))
    }
    await sleep(9_000) // longer than an eviction waits for things to settle
    for (const pod of [bare, ran, job, own]) {
      expect((await pods(lab, pod.metadata.namespace ?? '')).map(({ metadata }) => metadata.uid)).toEqual([
        pod.metadata.uid,
      ])
      expect(await evictionsIn(pod.metadata.namespace ?? '')).toEqual([])
    }
    // Why not those of Jobs: to its Job, a pod that is deleted has failed.
    await lab.client.delete(`${podsPath(jobIn ?? '')}/${job.metadata.name}`)
    await eventually(async () => {
      type Job = KubeObject & { status: { conditions?: { type: string; reason: string }[] } }
      const { status } = await lab.client.get<Job>(`/apis/batch/v1/namespaces/${jobIn}/jobs/job`)
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: 'Failed', reason: 'BackoffLimitExceeded' }),
      )
    })
  })

  test('an API server that says not now is asked again later', async () => {
    const namespace = await lab.namespace('budget')
    const pod = await deploy(lab, namespace)
    const status = JSON.stringify({ kind: 'Status', status: 'Failure', code: 429, reason: 'TooManyRequests' })
    const isEviction = (_: string, { pathname }: URL) => pathname.endsWith(`${pod.metadata.name}/eviction`)
    proxy.interfere = first(1, isEviction, answer(429, status, { 'content-type': 'application/json' }))
    await wait(lab, pod, missing)
    await credentialFor(namespace)
    await eventually(async () => expect(await reasons(lab, pod)).toContain('EvictionDelayed'))
    expect((await pods(lab, namespace)).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])
    const next = await successor(lab, namespace, pod)
    expect(namesOf(next)).toEqual(['regcred'])
  })
})

test(
  'where the operator may not see pods, it says so once and does all the rest',
  async () => {
    const namespace = await lab.namespace('blind')
    await operator.stop()
    await proxy.close()
    const through = await startProxy(lab.cluster)
    proxy = through.proxy
    const forbidden = JSON.stringify({ kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden' })
    proxy.interfere = (_, { pathname }) =>
      pathname === '/api/v1/pods' ? answer(403, forbidden, { 'content-type': 'application/json' }) : undefined
    operator = await startOperator({ kubeconfig: through.kubeconfig })
    const credential = await credentialFor(namespace, { healPods: 'Report' })
    const { status } = await lab.ready(credential)
    expect(status?.namespaces?.summary).toBe('1/1')
    await eventually(() => expect(operator.logs()).toContain('pods cannot be watched'))
    await eventually(async () => expect(await stuckOf(lab, credential)).toBeUndefined())
    expect(await operator.health('/readyz')).toBe(200)
    await sleep(2_000)
    expect(operator.logs().match(/pods cannot be watched/g)).toHaveLength(1)
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)
