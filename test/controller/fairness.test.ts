/**
 * The operator takes what the API server gives it: where API Priority and Fairness lets few of its requests through, it
 * works on fewer namespaces at a time, and on all that it may when there is room again.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { inParallel } from '../support/in-parallel.ts'
import { Lab } from './lab.ts'
import { requestsSince } from './traffic.ts'

const count = 100
const most = 32

let lab: Lab
let operator: RunningOperator
let namespaces: string[]

beforeAll(async () => {
  lab = new Lab()
  namespaces = []
  await inParallel(Array(count).keys(), 8, async (index) => {
    namespaces.push(await lab.namespace(`fairness-${index}`))
  })
  operator = await startOperator({ args: [`--concurrency=${most}`] })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

test('429 lowers how many namespaces are worked on at once, all are served, and room is used again', async () => {
  await eventually(async () => expect(await concurrency()).toBe(most))
  const since = new Date()
  const widen = await narrow()
  const source = await lab.source('fairness', login(1))
  const credential = await lab.credential('fairness', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('fairness-*')], optIn: true },
  })
  await eventually(async () => expect(await concurrency()).toBeLessThan(most))
  await lab.ready(credential, { timeoutMs: 200_000 })
  const refused = (await requestsSince(lab.cluster, since)).filter(({ code }) => code === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThan(count * 3) // of two writes each

  await widen()
  for (let version = 2; (await concurrency()) < most; version++) {
    await lab.rotate(source, login(version))
    await eventually(async () => expect(await lab.logins(namespaces.at(-1) ?? '')).toEqual(login(version)))
  }
})

function login(version: number) {
  return { 'ghcr.io': { username: 'robot', password: `fairness-login-${version}` } }
}

async function concurrency(): Promise<number> {
  const found = /^regcred_workqueue_concurrency\{name="namespace"\} (\d+)$/m.exec(await operator.metrics())
  return Number(found?.[1])
}

/** From now on one request of the operator's is worked on at a time, and the others are refused. @returns ends it */
async function narrow(): Promise<() => Promise<void>> {
  const name = lab.unique('narrow')
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
  const path = `/apis/${apiVersion}`
  const limited = {
    nominalConcurrencyShares: 1,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Reject' },
  }
  const user = { name: 'regcred-operator', namespace: 'regcred-system' }
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }
  const schema = {
    priorityLevelConfiguration: { name },
    matchingPrecedence: 2, // before all others but the exempt
    rules: [{ subjects: [{ kind: 'ServiceAccount', serviceAccount: user }], resourceRules: [everything] }],
  }
  await lab.create(`${path}/prioritylevelconfigurations`, {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name },
    spec: { type: 'Limited', limited },
  })
  await lab.create(`${path}/flowschemas`, { apiVersion, kind: 'FlowSchema', metadata: { name }, spec: schema })
  return async () => {
    await lab.client.delete(`${path}/flowschemas/${name}`)
    await lab.client.delete(`${path}/prioritylevelconfigurations/${name}`)
  }
}
