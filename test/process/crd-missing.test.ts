/** An operator that is started before its CRD: it says what is missing, waits, and goes on by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { linesOf } from './program.ts'

let cluster: OwnedCluster
let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  await cluster.kubectl('delete', 'customresourcedefinition', 'registrycredentials.regcred.dev')
  lab = new Lab(cluster)
  operator = await startOperator({ cluster, untilReady: false })
})

afterAll(async () => {
  await lab.close()
  await operator.kill()
  await cluster.stop()
})

const complaints = () => linesOf(operator.logs()).filter(({ message }) => /CustomResourceDefinition/.test(message))

test('without the CRD it says once how to install it, is alive, and not ready', async () => {
  await eventually(() => expect(complaints()).toHaveLength(1))
  expect(complaints()[0]).toMatchObject({ level: 'error', message: expect.stringContaining('kubectl apply') })
  await eventually(async () => expect(await operator.health('/healthz')).toBe(200))
  expect(await operator.health('/readyz')).toBe(500)
})

test('when the CRD is there it works, without a restart', async () => {
  await installOperator(cluster)
  const login = { 'ghcr.io': { username: 'robot', password: 'crd-missing' } }
  const namespace = await lab.namespace('team')
  const source = await lab.source('team', login)
  const credential = await lab.credential('team', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
  await lab.ready(credential)
  expect(await lab.logins(namespace)).toEqual(login)
  expect(await operator.health('/readyz')).toBe(200)
  expect(complaints()).toHaveLength(1)
  expect(await operator.stop()).toBe(0)
})
