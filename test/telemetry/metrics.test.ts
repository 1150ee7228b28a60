import { expect, test } from '@jest/globals'
import { register } from 'prom-client'
import type { CredentialGauge } from '../../src/telemetry/credential-metrics.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { QueueGauge } from '../../src/telemetry/queue-metrics.ts'

const open = () => new Metrics('a-lease')

/** The samples of one metric, without its comments. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line))
}

const queue: QueueGauge = {
  depth: 3,
  added: 10,
  retried: 2,
  oldestSeconds: 0.5,
  unfinishedSeconds: 7,
  longestRunningSeconds: 4,
  concurrency: 32,
}

const credential: CredentialGauge = {
  credential: 'hub',
  issuedAt: undefined,
  expiresAt: undefined,
  failing: false,
  verified: undefined,
  namespaces: {},
  contended: 0,
  stuck: undefined,
}

test('reconciles are counted by loop and result, and timed while they wait and while they work', async () => {
  const metrics = open()
  metrics.reconciling('namespace', 0.3)
  metrics.reconciled('namespace', 'success', 0.02)
  metrics.reconciled('namespace', 'error', 3)
  metrics.reconciled('status', 'overtaken', 0.01)
  expect(await samples(metrics, 'regcred_reconcile_total')).toEqual(
    expect.arrayContaining([
      'regcred_reconcile_total{loop="namespace",result="success"} 1',
      'regcred_reconcile_total{loop="namespace",result="error"} 1',
      'regcred_reconcile_total{loop="status",result="overtaken"} 1',
      'regcred_reconcile_total{loop="credential",result="error"} 0',
    ]),
  )
  expect(await samples(metrics, 'workqueue_work_duration_seconds')).toEqual(
    expect.arrayContaining([
      'workqueue_work_duration_seconds_bucket{le="0.025",name="namespace"} 1',
      'workqueue_work_duration_seconds_count{name="namespace"} 2',
    ]),
  )
  expect(await samples(metrics, 'workqueue_queue_duration_seconds')).toEqual(
    expect.arrayContaining([
      'workqueue_queue_duration_seconds_bucket{le="0.1",name="namespace"} 0',
      'workqueue_queue_duration_seconds_bucket{le="0.5",name="namespace"} 1',
    ]),
  )
})

test('what a queue says of itself is what it says at the time of the scrape', async () => {
  const metrics = open()
  const now: { -readonly [What in keyof QueueGauge]: number } = { ...queue }
  metrics.observeQueue('credential', now)
  const lines = async () =>
    (await metrics.text()).split('\n').filter((line) => /workqueue_.*name="credential"/.test(line))
  expect(await lines()).toEqual([
    'workqueue_depth{name="credential"} 3',
    'workqueue_unfinished_work_seconds{name="credential"} 7',
    'workqueue_longest_running_processor_seconds{name="credential"} 4',
    'regcred_workqueue_oldest_seconds{name="credential"} 0.5',
    'regcred_workqueue_concurrency{name="credential"} 32',
    'workqueue_adds_total{name="credential"} 10',
    'workqueue_retries_total{name="credential"} 2',
  ])
  now.depth = 0
  expect(await lines()).toContain('workqueue_depth{name="credential"} 0')
  expect(await lines()).toContain('workqueue_adds_total{name="credential"} 10')
})

test('API requests are counted by code, method and resource, and a thousand names make no more series than one', async () => {
  const metrics = open()
  for (let i = 0; i < 1_000; i++) metrics.apiRequest('PATCH', `/api/v1/namespaces/team-${i}/secrets/s-${i}`, 200)
  metrics.apiRequest('GET', '/api/v1/namespaces?watch=true', undefined)
  metrics.apiRequest('GET', '/api/v1/namespaces', 1234)
  expect(await samples(metrics, 'rest_client_requests_total')).toEqual([
    'rest_client_requests_total{code="200",method="PATCH",resource="secrets"} 1000',
    'rest_client_requests_total{code="<error>",method="GET",resource="namespaces"} 2',
  ])
})

test('watch restarts are counted by resource and reason, logins asked for by source and result', async () => {
  const metrics = open()
  metrics.watchRestarted('secrets', 'expired')
  metrics.refreshed('ecr', 'IssuerUnavailable')
  expect(await samples(metrics, 'regcred_watch_restarts_total')).toEqual([
    'regcred_watch_restarts_total{resource="secrets",reason="expired"} 1',
  ])
  expect(await samples(metrics, 'regcred_refresh_total')).toEqual([
    'regcred_refresh_total{source="ecr",result="IssuerUnavailable"} 1',
  ])
})

test('evictions are counted by result', async () => {
  const metrics = open()
  metrics.evictionAsked('forbidden')
  expect(await samples(metrics, 'regcred_evictions_total')).toEqual([
    'regcred_evictions_total{result="evicted"} 0',
    'regcred_evictions_total{result="delayed"} 0',
    'regcred_evictions_total{result="forbidden"} 1',
  ])
})

test('of a credential there is what is known of it, and of one that has gone nothing', async () => {
  const metrics = open()
  const known = {
    credential: 'ecr',
    issuedAt: new Date(1_000),
    expiresAt: new Date(61_000),
    failing: true,
    verified: false,
    namespaces: { synced: 2, failed: 1 },
    contended: 1,
    stuck: 4,
  }
  let all: CredentialGauge[] = [known, credential]
  metrics.observeCredentials(() => all)
  const lines = async () => (await metrics.text()).split('\n').filter((line) => /^regcred_.*credential=/.test(line))
  const seen = await lines()
  expect(seen.filter((line) => line.includes('"ecr"'))).toEqual([
    'regcred_credential_expiry_timestamp_seconds{credential="ecr"} 61',
    'regcred_credential_issued_timestamp_seconds{credential="ecr"} 1',
    'regcred_credential_failing{credential="ecr"} 1',
    'regcred_credential_verified{credential="ecr"} 0',
    'regcred_contended_namespaces{credential="ecr"} 1',
    'regcred_stuck_pods{credential="ecr"} 4',
    'regcred_namespaces{credential="ecr",state="synced"} 2',
    'regcred_namespaces{credential="ecr",state="failed"} 1',
  ])
  expect(seen.filter((line) => line.includes('"hub"'))).toEqual([
    'regcred_credential_failing{credential="hub"} 0',
    'regcred_contended_namespaces{credential="hub"} 0',
  ])
  all = [{ ...credential, verified: true }]
  expect(await lines()).toEqual([
    'regcred_credential_failing{credential="hub"} 0',
    'regcred_credential_verified{credential="hub"} 1',
    'regcred_contended_namespaces{credential="hub"} 0',
  ])
})

test('the leader gauge follows the lease, and who leads no more tells nothing of what it knew', async () => {
  const metrics = open()
  const leader = () => samples(metrics, 'leader_election_master_status')
  expect(await leader()).toEqual(['leader_election_master_status{name="a-lease"} 0'])
  metrics.leading(true)
  expect(await leader()).toEqual(['leader_election_master_status{name="a-lease"} 1'])
  metrics.observeCredentials(() => [credential])
  metrics.observeQueue('login', queue)
  metrics.admissionPoliciesAct(false)
  const ofTheLeader = /^(regcred_credential_failing|workqueue_depth|regcred_admission_policies_act)[{ ]/gm
  expect((await metrics.text()).match(ofTheLeader)).toHaveLength(3)
  metrics.leading(false)
  expect(await leader()).toEqual(['leader_election_master_status{name="a-lease"} 0'])
  expect((await metrics.text()).match(ofTheLeader)).toBeNull()
})

test('whether the admission policies act is told from when it is known', async () => {
  const metrics = open()
  expect(await samples(metrics, 'regcred_admission_policies_act')).toEqual([])
  metrics.admissionPoliciesAct(false)
  expect(await samples(metrics, 'regcred_admission_policies_act')).toEqual(['regcred_admission_policies_act 0'])
})

test('the registry is its own, and has the metrics of the process', async () => {
  const [one, two] = [open(), open()]
  one.leading(true)
  expect(await samples(two, 'leader_election_master_status')).toEqual([
    'leader_election_master_status{name="a-lease"} 0',
  ])
  expect(await samples(one, 'process_resident_memory_bytes')).toHaveLength(1)
  expect(register.getMetricsAsArray()).toEqual([])
})
