/** Two replicas with leader election, as `config/` installs them: one works, the other is ready to. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'

const login = { 'ghcr.io': { username: 'robot', password: 'leadership-login' } }

let cluster: OwnedCluster
let lab: Lab
/** The leader, then the follower. */
let replicas: [RunningOperator, RunningOperator]

/** Also says that it waits until it leads. */
const leads = async (operator: RunningOperator) =>
  /^leader_election_master_status\{.*\} 1$/m.test(await operator.metrics())

/** Requests of this replica that changed, or tried to change, an object. */
async function writesOf(operator: RunningOperator): Promise<string[]> {
  const series = (await operator.metrics()).split('\n').filter((line) => line.startsWith('rest_client_requests_total{'))
  return series.filter((line) => !line.includes('method="GET"') && !line.includes('resource="leases"'))
}

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  const first = await startOperator({ cluster, replica: true })
  await eventually(() => leads(first))
  replicas = [first, await startOperator({ cluster, replica: true })]
  const source = await lab.source('leadership', login)
  await lab.credential('leadership', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('team-*')], optIn: true },
  })
})

afterAll(async () => {
  await lab.close()
  await Promise.all(replicas.map((operator) => operator.kill()))
  await cluster.stop()
})

/** A new namespace that has been served. */
async function served(name: string): Promise<string> {
  const namespace = await lab.namespace(name)
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(login), {
    describe: `Secret in ${namespace}`,
  })
  return namespace
}

test('the follower is ready, knows the cluster, and changes nothing', async () => {
  const [leader, follower] = replicas
  await served('team-1')
  expect(await leads(leader)).toBe(true)
  expect(await writesOf(leader)).not.toEqual([])
  expect(await leads(follower)).toBe(false)
  expect(await follower.health('/readyz')).toBe(200)
  expect(follower.logs()).toContain('caches are in sync')
  expect(await writesOf(follower)).toEqual([])
})

test('when the leader stops, the other takes over, and writes no namespace again that is right', async () => {
  const [leader, follower] = replicas
  const before = await lab.secret(lab.unique('team-1'))
  expect(await leader.stop()).toBe(0)
  await eventually(() => leads(follower))
  await served('team-2')
  expect((await lab.secret(lab.unique('team-1')))?.metadata).toEqual(before?.metadata)
  replicas = [follower, await startOperator({ cluster, replica: true })]
})

test('when the leader is killed, the other takes over as soon as the lease has run out', async () => {
  const [leader, follower] = replicas
  await leader.kill()
  await served('team-3')
  expect(await leads(follower)).toBe(true)
})
