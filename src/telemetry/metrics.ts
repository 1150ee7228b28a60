/**
 * The operator's metrics, in a Prometheus registry of their own; docs/reference/metrics.md is their table. Where the community has
 * a name for a thing it is that one: `workqueue_*`, `rest_client_requests_total` and `leader_election_master_status` are
 * client-go's. Every label has few values: loops, results, methods, resources, status codes; of the names of objects only
 * those of credentials, which are few and what alerts are about.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { resourceOf } from './api-resource.ts'
import { type CredentialGauge, CredentialMetrics } from './credential-metrics.ts'
import { type QueueGauge, QueueMetrics } from './queue-metrics.ts'

/** The loops of design.md. */
export const LOOPS = ['login', 'credential', 'namespace', 'status', 'pod', 'trusted'] as const
export type Loop = (typeof LOOPS)[number]

/** How a reconcile ended: done, given up since what it wrote had changed meanwhile, or failed and backing off. */
export const RESULTS = ['success', 'overtaken', 'error'] as const
export type Result = (typeof RESULTS)[number]

/** Why a watch had to be opened again: ended by the server, 410 Gone, silence, or any other failure. */
export const WATCH_RESTARTS = ['closed', 'expired', 'idle', 'error'] as const
export type WatchRestart = (typeof WATCH_RESTARTS)[number]

/** What came of an eviction that was asked for: done, not now, or not allowed. */
export const EVICTION_RESULTS = ['evicted', 'delayed', 'forbidden'] as const
export type EvictionResult = (typeof EVICTION_RESULTS)[number]

/** Between looks at how late the event loop is. prom-client's 10 ms cost more than all else that is done at rest: 0.4 % of a core. */
const lagEveryMs = 100

/** Gauges of prom-client's that are called as counters are; `nodejs_active_*` of the same things are there by type. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

export class Metrics {
  readonly #registry = new Registry()
  readonly #registers = { registers: [this.#registry] }

  readonly #credentials = new CredentialMetrics(this.#registry)
  readonly #queues = new QueueMetrics(this.#registry, LOOPS)
  readonly #reconciles = new Counter({
    name: 'regcred_reconcile_total',
    help: 'Reconciles that have ended, by loop and result.',
    labelNames: ['loop', 'result'],
    ...this.#registers,
  })
  /** Plain numbers, since a counter makes a string of its labels each time. Those of before the first are 0 as well: rate() sees it. */
  readonly #ended = Object.fromEntries(LOOPS.map((loop) => [loop, { success: 0, overtaken: 0, error: 0 }])) as Record<
    Loop,
    Record<Result, number>
  >
  readonly #requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the Kubernetes API server, by status code (<error>: no answer), method and resource.',
    labelNames: ['code', 'method', 'resource'],
    ...this.#registers,
  })
  readonly #watchRestarts = new Counter({
    name: 'regcred_watch_restarts_total',
    help: 'Watches that had to be opened again, by resource and reason.',
    labelNames: ['resource', 'reason'],
    ...this.#registers,
  })
  readonly #leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the lease of this name, else 0.',
    labelNames: ['name'],
    ...this.#registers,
  })
  readonly #refreshes = new Counter({
    name: 'regcred_refresh_total',
    help: 'Logins asked for, by source and result: Succeeded, or the reason why not.',
    labelNames: ['source', 'result'],
    ...this.#registers,
  })
  readonly #verifications = new Counter({
    name: 'regcred_verifications_total',
    help: 'Logins that registries were asked about, by verdict.',
    labelNames: ['verdict'],
    ...this.#registers,
  })
  readonly #evictions = new Counter({
    name: 'regcred_evictions_total',
    help: 'Evictions of stuck pods that were asked for, by result.',
    labelNames: ['result'],
    ...this.#registers,
  })
  readonly #admission = new Gauge({
    name: 'regcred_admission_policies_act',
    help: '1 where the policies of config/admission act, 0 where they do not; not there until it is known.',
    ...this.#registers,
  })
  readonly #lease: string

  /** @param lease the name of the Lease */
  constructor(lease: string) {
    this.#lease = lease
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagEveryMs })
    for (const name of misnamed) this.#registry.removeSingleMetric(name)
    // A series that begins at 0 lets rate() see the first
    for (const result of EVICTION_RESULTS) this.#evictions.inc({ result }, 0)
    this.leading(false)
  }

  /** Of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** What a scrape is answered, in Prometheus' text format. */
  text(): Promise<string> {
    this.#reconciles.reset()
    for (const loop of LOOPS) {
      for (const result of RESULTS) this.#reconciles.inc({ loop, result }, this.#ended[loop][result])
    }
    this.#queues.collect()
    this.#credentials.collect()
    return this.#registry.metrics()
  }

  /** A reconcile begins, of a key that has waited for it so long. */
  reconciling(loop: Loop, waitedSeconds: number): void {
    this.#queues.started(loop, waitedSeconds)
  }

  /** A reconcile has ended. */
  reconciled(loop: Loop, result: Result, seconds: number): void {
    this.#ended[loop][result]++
    this.#queues.worked(loop, seconds)
  }

  /** From now on, and while this process leads, it is asked at every scrape. */
  observeQueue(loop: Loop, queue: QueueGauge): void {
    this.#queues.observe(loop, queue)
  }

  /** From now on, and while this process leads, they are asked for at every scrape. */
  observeCredentials(credentials: () => Iterable<CredentialGauge>): void {
    this.#credentials.observe(credentials)
  }

  /** A source has been asked for a login. */
  refreshed(source: string, result: string): void {
    this.#refreshes.inc({ source, result })
  }

  /** A registry has been asked about a login. */
  verified(verdict: string): void {
    this.#verifications.inc({ verdict })
  }

  /** It has been found out whether the admission policies act. */
  admissionPoliciesAct(act: boolean): void {
    this.#admission.set(act ? 1 : 0)
  }

  /** An eviction of a stuck pod was asked for. */
  evictionAsked(result: EvictionResult): void {
    this.#evictions.inc({ result })
  }

  /** A request has been answered with this status, or not at all. The URL may be a path; it is reduced to its resource. */
  apiRequest(method: string, url: string, status: number | undefined): void {
    const known = status !== undefined && Number.isInteger(status) && status >= 100 && status < 600
    this.#requests.inc({ code: known ? String(status) : '<error>', method, resource: resourceOf(url) })
  }

  /** A watch has ended and is opened again. The resource is the plural name. */
  watchRestarted(resource: string, reason: WatchRestart): void {
    this.#watchRestarts.inc({ resource, reason })
  }

  /** This process has won the lease, or leads no more: what it knew of the cluster is then told by another. */
  leading(holds: boolean): void {
    this.#leader.set({ name: this.#lease }, holds ? 1 : 0)
    if (holds) return
    this.#queues.forget()
    this.#credentials.observe(() => [])
    this.#admission.remove()
  }
}
