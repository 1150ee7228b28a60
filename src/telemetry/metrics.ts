/**
 * The operator's metrics, in a Prometheus registry of their own. Every label has few values: loops, results, verbs,
 * resources, status codes; of the names of objects only those of credentials, which are few and what alerts are about.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { describeRequest } from './api-request.ts'

/** The loops of design.md. */
export const LOOPS = ['login', 'credential', 'namespace', 'status', 'pod'] as const
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

/** What is to be seen of a queue at the time of a scrape. */
export interface QueueGauge {
  readonly depth: number
  readonly concurrency: number
}

/** What is known of a credential and its login at the time of a scrape. */
export interface LoginGauge {
  credential: string
  expiresAt: Date | undefined
  /** It could not be had, or not be renewed. */
  failing: boolean
  /** What the registry said last; undefined: it was not asked. */
  verdict: string | undefined
  /** Namespaces where somebody keeps undoing what is written for it. */
  contended: number
  /** Pods that are stuck for want of it; undefined: nobody looks. */
  stuck: number | undefined
}

/** Between looks at how late the event loop is. prom-client's 10 ms cost more than all else that is done at rest: 0.4 % of a core. */
const lagEveryMs = 100

export class Metrics {
  readonly registry = new Registry()
  readonly #registers = { registers: [this.registry] }

  readonly #reconciles = new Counter({
    name: 'regcred_reconcile_total',
    help: 'Reconciles that have ended, by loop and result.',
    labelNames: ['loop', 'result'],
    ...this.#registers,
  })
  readonly #durations = new Histogram({
    name: 'regcred_reconcile_duration_seconds',
    help: 'How long reconciles take.',
    labelNames: ['loop'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    ...this.#registers,
  })
  readonly #queues = new Map<Loop, QueueGauge>()
  readonly #requests = new Counter({
    name: 'regcred_api_requests_total',
    help: 'Requests to the Kubernetes API server, by verb, resource and status code (<error>: no answer).',
    labelNames: ['verb', 'resource', 'code'],
    ...this.#registers,
  })
  readonly #watchRestarts = new Counter({
    name: 'regcred_watch_restarts_total',
    help: 'Watches that had to be opened again, by resource and reason.',
    labelNames: ['resource', 'reason'],
    ...this.#registers,
  })
  readonly #leader = new Gauge({
    name: 'regcred_leader',
    help: '1 while this process holds the lease, else 0.',
    ...this.#registers,
  })

  readonly #asked = new Counter({
    name: 'regcred_source_requests_total',
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
  #logins: () => Iterable<LoginGauge> = () => []
  /** There from when it is known. */
  #admission: Gauge | undefined

  constructor() {
    this.#gaugeLogins()
    this.#gaugeQueues('depth', 'Keys that wait for a reconcile.')
    this.#gaugeQueues(
      'concurrency',
      'Keys that may be worked on at once; fewer of the namespaces while the API server answers 429.',
    )
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: lagEveryMs })
    // A series that begins at 0 lets rate() see the first error
    for (const loop of LOOPS) for (const result of RESULTS) this.#reconciles.inc({ loop, result }, 0)
    for (const result of EVICTION_RESULTS) this.#evictions.inc({ result }, 0)
    this.#leader.set(0)
  }

  /** A reconcile has ended. */
  reconciled(loop: Loop, result: Result, seconds: number): void {
    this.#reconciles.inc({ loop, result })
    this.#durations.observe({ loop }, seconds)
  }

  /** From now on it is asked at every scrape. */
  observeQueue(loop: Loop, queue: QueueGauge): void {
    this.#queues.set(loop, queue)
  }

  /** A source has been asked for a login. */
  sourceAsked(source: string, result: string): void {
    this.#asked.inc({ source, result })
  }

  /** A registry has been asked about a login. */
  verified(verdict: string): void {
    this.#verifications.inc({ verdict })
  }

  /** It has been found out whether the admission policies act. */
  admissionPoliciesAct(act: boolean): void {
    this.#admission ??= new Gauge({
      name: 'regcred_admission_policies_act',
      help: '1 where the policies of config/admission act, 0 where they do not.',
      ...this.#registers,
    })
    this.#admission.set(act ? 1 : 0)
  }

  /** From now on they are asked for at every scrape. */
  observeLogins(logins: () => Iterable<LoginGauge>): void {
    this.#logins = logins
  }

  /** An eviction of a stuck pod was asked for. */
  evictionAsked(result: EvictionResult): void {
    this.#evictions.inc({ result })
  }

  #gaugeQueues(what: keyof QueueGauge, help: string): void {
    const queues = this.#queues
    new Gauge({
      name: `regcred_workqueue_${what}`,
      help,
      labelNames: ['loop'],
      ...this.#registers,
      collect() {
        for (const [loop, queue] of queues) this.set({ loop }, queue[what])
      },
    })
  }

  #gaugeLogins(): void {
    const gauge = (name: string, help: string, labels: string[], value: (login: LoginGauge) => number | undefined) => {
      const all = () => this.#logins()
      new Gauge({
        name,
        help,
        labelNames: ['credential', ...labels],
        ...this.#registers,
        collect() {
          this.reset()
          for (const login of all()) {
            const number = value(login)
            const { credential, verdict } = login
            if (number !== undefined) this.set({ credential, ...(labels.length > 0 && { verdict }) }, number)
          }
        },
      })
    }
    gauge('regcred_login_expires_timestamp_seconds', 'When the login in use ends, where that is known.', [], (login) =>
      login.expiresAt ? login.expiresAt.getTime() / 1000 : undefined,
    )
    gauge('regcred_login_failing', '1 while no new login can be had, else 0.', [], ({ failing }) => (failing ? 1 : 0))
    gauge('regcred_login_verified', '1, with what the registry said last of the login.', ['verdict'], ({ verdict }) =>
      verdict === undefined ? undefined : 1,
    )
    const contended = 'Namespaces where somebody keeps undoing what is written for the credential.'
    gauge('regcred_contended_namespaces', contended, [], (login) => login.contended)
    const stuck = 'Pods that cannot pull an image that the credential is for; not there where nobody looks.'
    gauge('regcred_stuck_pods', stuck, [], (login) => login.stuck)
  }

  /** A request has been answered with this status, or not at all. The URL may be a path; it is reduced to its resource. */
  apiRequest(method: string, url: string, status: number | undefined): void {
    const known = status !== undefined && Number.isInteger(status) && status >= 100 && status < 600
    this.#requests.inc({ ...describeRequest(method, url), code: known ? String(status) : '<error>' })
  }

  /** A watch has ended and is opened again. The resource is the plural name. */
  watchRestarted(resource: string, reason: WatchRestart): void {
    this.#watchRestarts.inc({ resource, reason })
  }

  /** This process has won or lost the lease. */
  leading(holds: boolean): void {
    this.#leader.set(holds ? 1 : 0)
  }
}
