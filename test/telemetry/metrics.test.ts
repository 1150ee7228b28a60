import { expect, test } from '@jest/globals'
import { register } from 'prom-client'
import { Metrics } from '../../src/telemetry/metrics.ts'

/** The samples of one metric, without its comments. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.registry.getSingleMetricAsString(name)
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

test('reconciles are counted and timed by loop', async () => {
  const metrics = new Metrics()
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
  expect(await samples(metrics, 'regcred_reconcile_duration_seconds')).toEqual(
    expect.arrayContaining([
      'regcred_reconcile_duration_seconds_bucket{le="0.025",loop="namespace"} 1',
      'regcred_reconcile_duration_seconds_count{loop="namespace"} 2',
    ]),
  )
})

test('the depth of a queue and its concurrency are those at the time of the scrape', async () => {
  const metrics = new Metrics()
  const queue = { depth: 3, concurrency: 32 }
  metrics.observeQueue('credential', queue)
  expect(await samples(metrics, 'regcred_workqueue_depth')).toEqual(['regcred_workqueue_depth{loop="credential"} 3'])
  queue.depth = 0
  queue.concurrency = 16
  expect(await samples(metrics, 'regcred_workqueue_concurrency')).toEqual([
    'regcred_workqueue_concurrency{loop="credential"} 16',
  ])
  expect(await samples(metrics, 'regcred_workqueue_depth')).toEqual(['regcred_workqueue_depth{loop="credential"} 0'])
})

test('API requests are counted by verb, resource and code, and a thousand names make no more series than one', async () => {
  const metrics = new Metrics()
  for (let i = 0; i < 1_000; i++) metrics.apiRequest('PATCH', `/api/v1/namespaces/team-${i}/secrets/s-${i}`, 200)
  metrics.apiRequest('GET', '/api/v1/namespaces?watch=true', undefined)
  metrics.apiRequest('GET', '/api/v1/namespaces', 1234)
  expect(await samples(metrics, 'regcred_api_requests_total')).toEqual([
    'regcred_api_requests_total{verb="patch",resource="secrets",code="200"} 1000',
    'regcred_api_requests_total{verb="watch",resource="namespaces",code="<error>"} 1',
    'regcred_api_requests_total{verb="list",resource="namespaces",code="<error>"} 1',
  ])
})

test('watch restarts are counted by resource and reason', async () => {
  const metrics = new Metrics()
  metrics.watchRestarted('secrets', 'expired')
  expect(await samples(metrics, 'regcred_watch_restarts_total')).toEqual([
    'regcred_watch_restarts_total{resource="secrets",reason="expired"} 1',
  ])
})

test('evictions are counted by result, and stuck pods told at the time of the scrape', async () => {
  const metrics = new Metrics()
  metrics.evictionAsked('forbidden')
  expect(await samples(metrics, 'regcred_evictions_total')).toEqual([
    'regcred_evictions_total{result="evicted"} 0',
    'regcred_evictions_total{result="delayed"} 0',
    'regcred_evictions_total{result="forbidden"} 1',
  ])
  let stuck: [string, number][] = [
    ['hub', 2],
    ['ecr', 0],
  ]
  const nothing = { expiresAt: undefined, failing: false, verdict: undefined, contended: 0 }
  metrics.observeLogins(() => stuck.map(([credential, number]) => ({ ...nothing, credential, stuck: number })))
  expect(await samples(metrics, 'regcred_stuck_pods')).toEqual([
    'regcred_stuck_pods{credential="hub"} 2',
    'regcred_stuck_pods{credential="ecr"} 0',
  ])
  stuck = []
  expect(await samples(metrics, 'regcred_stuck_pods')).toEqual([])
})

test('the leader gauge follows the lease', async () => {
  const metrics = new Metrics()
  expect(await samples(metrics, 'regcred_leader')).toEqual(['regcred_leader 0'])
  metrics.leading(true)
  expect(await samples(metrics, 'regcred_leader')).toEqual(['regcred_leader 1'])
  metrics.leading(false)
  expect(await samples(metrics, 'regcred_leader')).toEqual(['regcred_leader 0'])
})

test('the registry is its own, and has the metrics of the process', async () => {
  const [one, two] = [new Metrics(), new Metrics()]
  one.leading(true)
  expect(await samples(two, 'regcred_leader')).toEqual(['regcred_leader 0'])
  expect(await samples(one, 'process_resident_memory_bytes')).toHaveLength(1)
  expect(register.getMetricsAsArray()).toEqual([])
})
