/**
 * The API server does not always know the parameters of the policies: never before the CRD is there, and after a restart
 * for up to half a minute. Then nothing is denied, and the operator does what the policies would have done.
 */
import { afterEach, beforeEach, expect } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, serviceAccountPath } from '../controller/lab.ts'
import { acting, applyPolicies, namesOf, type Pod, pod, podsPath, policiesFolder } from './policies.ts'

let cluster: OwnedCluster
let lab: Lab

beforeEach(async () => {
  cluster = await startCluster({ say: () => {} })
  lab = new Lab(cluster)
})

afterEach(async () => {
  await lab?.client.close()
  await cluster?.stop()
})

test('after a restart of the API server every namespace is served, from the first that it accepts', async () => {
  await installOperator(cluster)
  await applyPolicies(cluster)
  const source = await lab.source('hub', { 'ghcr.io': { username: 'robot', password: 'example-password' } })
  const operator = await startOperator({ cluster })
  try {
    const selection = { include: ['late-*'], optIn: true }
    const credential = await lab.credential('hub', { source: { secretRef: { name: source } }, namespaces: selection })
    await lab.ready(credential)
    await cluster.apiserver.stop()
    await cluster.apiserver.start()
    for (const index of Array(20).keys()) {
      const namespace = await lab.namespace(`late-${index}`)
      await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']), {
        describe: namespace,
      })
    }
    await eventually(async () => {
      expect((await lab.readCredential(credential)).status?.namespaces?.summary).toBe('20/20')
    })
  } finally {
    await operator.stop()
  }
})

test('policies that are there before the CRD deny nothing, change nothing, and act when it is there', async () => {
  for (const file of ['serviceaccounts', 'pods']) {
    await cluster.kubectl('apply', '--server-side', '-f', `${policiesFolder}/${file}.yaml`)
  }
  const policies = await cluster.kubectl('get', 'mutatingadmissionpolicy', '-o', 'name')
  expect(policies.split('\n').filter(Boolean)).toHaveLength(2)
  for (const index of Array(10).keys()) {
    const namespace = await lab.namespace(`early-${index}`)
    const serviceAccount = await lab.serviceAccount(namespace)
    expect(serviceAccount?.metadata.annotations).toBeUndefined()
    await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: [{ name: 'own' }] })
    const { spec } = await lab.create<Pod>(podsPath(namespace), pod('first', ['own']))
    expect(namesOf(spec.imagePullSecrets)).toEqual(['own'])
  }
  await installOperator(cluster)
  await acting(cluster)
})
