/** Pods that cannot pull: who is found, what is told, and who is left alone; with the rights of the default installation. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from './lab.ts'
import {
  deploy,
  evictions,
  login,
  makePod,
  missing,
  podsPath,
  reasons,
  refused,
  stuckOf,
  successor,
  wait,
} from './pods-lab.ts'
import { describe, isStanding, requestsSince } from './traffic.ts'

let lab: Lab
let operator: RunningOperator
let source: string
let start: Date

beforeAll(async () => {
  lab = new Lab()
  start = new Date()
  source = await lab.source('stuck', login)
  operator = await startOperator({ args: ['--log-level=debug'] })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

async function credentialFor(namespace: string, spec: object = {}): Promise<string> {
  return await lab.credential(namespace.slice(0, 30), {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
    ...spec,
  })
}

const podWatches = async () => (await requestsSince(lab.cluster, start)).filter(({ resource }) => resource === 'pods')

test('with healPods Off nobody looks at pods, and the status says nothing of them', async () => {
  const namespace = await lab.namespace('off')
  const pod = await makePod(lab, namespace, 'early')
  await wait(lab, pod, missing)
  const credential = await credentialFor(namespace, { healPods: 'Off' })
  await lab.ready(credential)
  await sleep(2_000)
  expect(await podWatches()).toEqual([])
  expect(await stuckOf(lab, credential)).toBeUndefined()
  expect(await operator.metrics()).not.toMatch(/^regcred_stuck_pods\{/m)

  await lab.patchCredential(credential, { healPods: 'Report' })
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
  await eventually(async () => expect(await reasons(lab, pod)).toEqual(['NotReferenced']))
  const seen = (await podWatches()).map(({ verb, requestURI }) => `${verb} ${requestURI.replace(/&.*/, '')}`)
  expect(new Set(seen)).toEqual(
    new Set([
      'list /api/v1/pods?fieldSelector=status.phase%3DPending',
      'watch /api/v1/pods?fieldSelector=status.phase%3DPending',
    ]),
  )

  await lab.patchCredential(credential, { healPods: 'Off' })
  await eventually(async () => expect(await stuckOf(lab, credential)).toBeUndefined())
  const before = (await podWatches()).length
  await wait(lab, pod, missing, { reason: 'ImagePullBackOff' })
  await sleep(1_000)
  expect(await podWatches()).toHaveLength(before)
})

test('a pod from before the reference is told once, counted, and never evicted, as Report says', async () => {
  const namespace = await lab.namespace('report')
  const pod = await deploy(lab, namespace)
  await wait(lab, pod, missing)
  const credential = await credentialFor(namespace)
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
  await eventually(async () =>
    expect(await operator.metrics()).toContain(`regcred_stuck_pods{credential="${credential}"} 1`),
  )
  const [event] = await eventually(async () => {
    const events = await lab.events(pod.metadata.name, namespace)
    return (
      events.some(({ reason }) => reason === 'NotReferenced') &&
      events.filter((each) => each.reason === 'NotReferenced')
    )
  })
  expect(event).toMatchObject({
    type: 'Warning',
    note: expect.stringContaining(`Secret regcred of RegistryCredential ${credential}`),
    regarding: { kind: 'Pod', uid: pod.metadata.uid, namespace },
  })
  for (const round of [1, 2, 3]) {
    await wait(lab, pod, `Back-off pulling image "ghcr.io/acme/app:1": ErrImagePull: ${missing}`, {
      reason: 'ImagePullBackOff',
    })
    await wait(lab, pod, missing)
    await lab.label(namespace, { round: `${round}` })
  }
  await sleep(11_000) // repetitions would be counted every 10 s
  expect(await reasons(lab, pod)).toEqual(['NotReferenced'])
  expect(await evictions(lab, start)).toEqual([])

  const { stdout, next } = await replaced(namespace, pod)
  expect(stdout).toContain('deleted')
  expect(next.spec.imagePullSecrets).toEqual([{ name: 'regcred' }]) // the cure is true
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(0))
})

async function replaced(namespace: string, pod: Awaited<ReturnType<typeof deploy>>) {
  const stdout = await lab.cluster.kubectl('delete', 'pod', '-n', namespace, pod.metadata.name)
  return { stdout, next: await successor(lab, namespace, pod) }
}

test('of other pods each is told what is wrong with it, or is left alone', async () => {
  const namespace = await lab.namespace('kinds')
  const early = await makePod(lab, namespace, 'early')
  const rateLimited = await makePod(lab, namespace, 'rate-limited')
  const credential = await credentialFor(namespace)
  await lab.ready(credential)
  const own = await makePod(lab, namespace, 'own', { pullSecrets: ['mine'] })
  const broken = await makePod(lab, namespace, 'broken', { pullSecrets: ['mine', 'regcred'] })
  const tooEarly = await makePod(lab, namespace, 'too-early')
  const gone = await makePod(lab, namespace, 'not-found')

  const goError = 'illegal base64 data at input byte 0'
  await wait(lab, own, missing)
  await wait(lab, broken, goError, { reason: goError })
  await wait(lab, tooEarly, missing) // names the Secret, which may have come after it
  await wait(lab, gone, 'ghcr.io/acme/app:1: not found')
  await wait(lab, rateLimited, 'failed to fetch anonymous token: unexpected status: 429 Too Many Requests')
  await wait(lab, early, missing)
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(3))
  const expected: [typeof own, string[]][] = [
    [own, ['OwnList']],
    [broken, ['MalformedSecret']],
    [tooEarly, []],
    [gone, []],
    [rateLimited, []],
    [early, ['NotReferenced']],
  ]
  await eventually(async () => {
    for (const [pod, what] of expected)
      expect([pod.metadata.name, await reasons(lab, pod)]).toEqual([pod.metadata.name, what])
  })

  await lab.client.delete(`${podsPath(namespace)}/own`)
  await wait(lab, broken, missing, { side: { state: { running: {} } } })
  await lab.patch(`${podsPath(namespace)}/broken/status`, { status: { phase: 'Running' } })
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
})

test('a pod that was refused is told whether a newer login is there', async () => {
  const namespace = await lab.namespace('refused')
  const mine = await lab.source('refused', login)
  const credential = await credentialFor(namespace, { source: { secretRef: { name: mine } } })
  const issuedAt = Date.parse((await lab.ready(credential)).status?.credential?.issuedAt ?? '')
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  const before = await makePod(lab, namespace, 'before')
  await wait(lab, before, refused)
  await eventually(async () => {
    // A rotation in the second in which the pod was made would not be newer.
    expect(Date.now()).toBeGreaterThan(Date.parse(before.metadata.creationTimestamp ?? '') + 2_000)
  })
  await lab.rotate(mine, { 'ghcr.io': { username: 'robot', password: 'a-newer-login' } })
  await eventually(async () => expect(await reasons(lab, before)).toEqual(['RefusedBefore']))
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))

  const newest = Date.parse((await lab.ready(credential)).status?.credential?.issuedAt ?? '')
  expect(newest).toBeGreaterThan(issuedAt)
  await eventually(() => expect(Date.now()).toBeGreaterThan(newest + 32_000), { timeoutMs: 120_000 })
  const after = await makePod(lab, namespace, 'after')
  await wait(lab, after, refused)
  await eventually(async () => expect(await reasons(lab, after)).toEqual(['Refused']))
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(2))
})

test('what the runtime says is nowhere but in the pod', async () => {
  const namespace = await lab.namespace('leak')
  const pod = await makePod(lab, namespace, 'leak')
  const token = 'p4ssw0rd-in-a-message'
  await wait(lab, pod, `${missing} robot:${token} https://robot:${token}@ghcr.io/v2/`)
  const credential = await credentialFor(namespace)
  await eventually(async () => expect(await reasons(lab, pod)).toEqual(['NotReferenced']))
  await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
  const told = await Promise.all([
    lab.readCredential(credential),
    lab.client.get('/apis/events.k8s.io/v1/events'),
    operator.metrics(),
  ])
  expect(JSON.stringify(told)).not.toContain(token)
  expect(operator.logs()).not.toContain(token)
})

test('stuck pods cost the API server nothing once they are told', async () => {
  // Longer than counts of Events wait; those of the tests before may still be on their way.
  await eventually(async () => {
    const requests = await requestsSince(lab.cluster, new Date(Date.now() - 13_000))
    expect(requests.filter((each) => !isStanding(each)).map(describe)).toEqual([])
  })
})
