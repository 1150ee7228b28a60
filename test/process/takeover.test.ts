/**
 * Two replicas, as config/ installs them: the follower has read everything by the time it is needed. What comes in the moment
 * of the change is served from what it knows: the audit log shows that nothing is listed anew.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { stateSecretPrefix } from '../../src/api/names.ts'
import type { AuditEntry } from '../cluster/audit.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { describe, requestsSince } from '../controller/traffic.ts'

const login = { 'ghcr.io': { username: 'robot', password: 'takeover-login' } }

let cluster: OwnedCluster
let lab: Lab
let source: string
let leader: RunningOperator
let follower: RunningOperator

const leads = async (operator: RunningOperator) =>
  /^leader_election_master_status\{.*\} 1$/m.test(await operator.metrics())

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  source = await lab.source('takeover', login)
  leader = await startOperator({ cluster, replica: true })
  await eventually(() => leads(leader))
  follower = await startOperator({ cluster, replica: true })
  await served(await credentialFor('before'))
})

afterAll(async () => {
  await lab.close()
  await Promise.all([leader, follower].map((operator) => operator.kill()))
  await cluster.stop()
})

/** A credential for a new namespace, whose name it returns. */
async function credentialFor(name: string): Promise<string> {
  const namespace = await lab.namespace(name)
  const namespaces = { include: [namespace], optIn: true }
  await lab.credential(name, { source: { secretRef: { name: source } }, namespaces })
  return namespace
}

async function served(namespace: string): Promise<void> {
  await eventually(
    async () => {
      expect(await lab.logins(namespace)).toEqual(login)
      expect(await lab.references(namespace)).toEqual(['regcred'])
    },
    { describe: `Secret and reference in ${namespace}` },
  )
}

/**
 * What the follower has read as a leader; since the other has gone, all requests are its. Left out is the watch of pods that
 * wait, which is the leader's alone: no credential is rolled out by it.
 */
async function readSince(since: Date): Promise<AuditEntry[]> {
  const requests = await requestsSince(cluster, since)
  return requests.filter(
    ({ verb, resource }) => ['get', 'list'].includes(verb) && !['leases', 'pods'].includes(resource),
  )
}

async function expectWarm(since: Date): Promise<void> {
  const reads = await readSince(since)
  const itsOwn = ({ verb, namespace, name }: AuditEntry) =>
    verb === 'get' &&
    namespace === operatorNamespace &&
    (name.startsWith(stateSecretPrefix) || ['regcred-operator-key', source].includes(name))
  expect(reads.some(({ name }) => name.startsWith(stateSecretPrefix))).toBe(true)
  expect(reads.filter((entry) => !itsOwn(entry)).map(describe)).toEqual([])
}

test('when the leader stops, a credential of that moment is served by the follower, which lists nothing for it', async () => {
  expect([await leads(follower), await follower.health('/readyz')]).toEqual([false, 200])
  const since = new Date()
  const [namespace, code] = await Promise.all([credentialFor('stopped'), leader.stop()])
  expect(code).toBe(0)
  await served(namespace)
  expect(await leads(follower)).toBe(true)
  await expectWarm(since)
  leader = follower
  follower = await startOperator({ cluster, replica: true })
})

test('when the leader is killed, the follower takes over when the lease has run out, and is as warm', async () => {
  expect([await leads(follower), await follower.health('/readyz')]).toEqual([false, 200])
  const before = new Date()
  await leader.kill()
  const since = new Date()
  const namespace = await credentialFor('killed')
  await served(namespace)
  expect(await follower.health('/readyz')).toBe(200)
  await expectWarm(since)
  const held = (await requestsSince(cluster, new Date(0))).filter(
    ({ verb, resource, code }) => verb === 'patch' && resource === 'leases' && code === 200,
  )
  // The last renewal may have come in after the one who sent it was gone.
  const times = held.slice(held.findLastIndex(({ time }) => time < before)).map(({ time }) => Number(time))
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  expect(Math.max(...pauses)).toBeGreaterThanOrEqual(15_000) // not before the other one has stopped
})
