/**
 * The race that no reconciler wins: a namespace and at once its first pod, which keeps for life the list that its
 * ServiceAccount has at that moment. With the policies every pod has the reference; the operator alone is too late.
 */
import { afterAll, beforeAll, expect } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { inParallel } from '../support/in-parallel.ts'
import { applyPolicies, namesOf, type Pod, pod, podsPath } from './policies.ts'

const rounds = 200
/** Namespaces that begin at the same time. */
const atOnce = 20

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator
let credential: string

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  lab = new Lab(cluster)
  operator = await startOperator({ cluster })
  const source = await lab.source('race', { 'ghcr.io': { username: 'robot', password: 'example-password' } })
  const spec = { source: { secretRef: { name: source } }, namespaces: { include: ['race-*'], optIn: true } }
  credential = await lab.credential('race', spec)
  await lab.ready(credential)
})

afterAll(async () => {
  await operator?.stop()
  await lab?.client.close()
  await cluster?.stop()
})

/** How many first pods of new namespaces lack the reference. */
async function latecomers(name: string): Promise<number> {
  let without = 0
  await inParallel([...Array(rounds).keys()], atOnce, async (round) => {
    const namespace = await lab.newbornNamespace(`${name}-${round}`)
    // Kubernetes refuses a pod as long as its ServiceAccount is not there.
    const create = () => lab.client.create<Pod>(podsPath(namespace), pod('first', []), { fieldManager: 'test' })
    const { spec } = await eventually(create, { describe: `a pod in ${namespace}` })
    if (!namesOf(spec.imagePullSecrets).includes('regcred')) without++
  })
  return without
}

test('without the policies some first pods have no reference, although the operator runs', async () => {
  const without = await latecomers('race-a')
  console.log(`${without} of ${rounds} first pods lack the reference when there are no policies`)
  expect(without).toBeGreaterThan(0)
})

test('that the policies are not there is told, with the cure', async () => {
  const told = async () => {
    const [event, ...more] = await eventsAbout(credential)
    expect(event).toMatchObject({
      type: 'Normal',
      note: expect.stringMatching(/; install them \(config\/admission; Helm: admissionPolicies\.enabled\)\.$/),
    })
    expect(more).toEqual([])
  }
  await eventually(told, { describe: 'the Event on the credential', timeoutMs: 180_000 })
  expect(await operator.metrics()).toContain('\nregcred_admission_policies_act 0\n')
})

test('with the policies every first pod has it', async () => {
  await applyPolicies(cluster)
  expect(await latecomers('race-b')).toBe(0)
})

async function eventsAbout(name: string) {
  return (await lab.events(name)).filter(({ reason }) => reason === 'AdmissionPoliciesMissing')
}
