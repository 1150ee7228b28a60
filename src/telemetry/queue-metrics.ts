/**
 * `workqueue_*`, by the names that client-go gives them, of the queues of the loops. What a queue counts itself is read at a
 * scrape; only how long its keys wait and are worked on is told by each.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What is to be seen of a queue at the time of a scrape. */
export interface QueueGauge {
  /** Keys that wait for a reconcile. */
  readonly depth: number
  /** Keys that have come to wait for one, ever. */
  readonly added: number
  /** Reconciles that have failed and are tried again, ever. */
  readonly retried: number
  /** Of the key that has waited longest. */
  readonly oldestSeconds: number
  /** Of the reconciles under way, together and the longest. */
  readonly unfinishedSeconds: number
  readonly longestRunningSeconds: number
  /** Keys that may be worked on at once. */
  readonly concurrency: number
}

const gauges: readonly [keyof QueueGauge, string, string][] = [
  ['depth', 'workqueue_depth', 'Keys that wait for a reconcile.'],
  ['unfinishedSeconds', 'workqueue_unfinished_work_seconds', 'How long the reconciles under way have taken, together.'],
  [
    'longestRunningSeconds',
    'workqueue_longest_running_processor_seconds',
    'How long the longest reconcile under way has taken.',
  ],
  ['oldestSeconds', 'regcred_workqueue_oldest_seconds', 'How long the key that has waited longest has.'],
  [
    'concurrency',
    'regcred_workqueue_concurrency',
    'Keys that may be worked on at once; fewer of the namespaces while the API server answers 429.',
  ],
]
const counters: readonly [keyof QueueGauge, string, string][] = [
  ['added', 'workqueue_adds_total', 'Keys that have come to wait for a reconcile.'],
  ['retried', 'workqueue_retries_total', 'Reconciles that failed and are tried again.'],
]

/** Seconds; of what waits and of what works alike, so that they can be compared. */
const buckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

interface Observer {
  observe(seconds: number): void
}

export class QueueMetrics<Name extends string> {
  readonly #queues = new Map<Name, QueueGauge>()
  readonly #gauges: readonly [keyof QueueGauge, Gauge][]
  readonly #counters: readonly [keyof QueueGauge, Counter][]
  /** Bound once for each queue: they are told of every reconcile. */
  readonly #waits: Record<Name, Observer>
  readonly #works: Record<Name, Observer>

  constructor(registry: Registry, names: readonly Name[]) {
    const common = { labelNames: ['name'], registers: [registry] }
    this.#gauges = gauges.map(([what, name, help]) => [what, new Gauge({ name, help, ...common })])
    this.#counters = counters.map(([what, name, help]) => [what, new Counter({ name, help, ...common })])
    const observers = (name: string, help: string) => {
      const histogram = new Histogram({ name, help, buckets, ...common })
      const bound = {} as Record<Name, Observer>
      for (const queue of names) bound[queue] = histogram.labels(queue)
      return bound
    }
    this.#waits = observers('workqueue_queue_duration_seconds', 'How long keys wait for a reconcile.')
    this.#works = observers('workqueue_work_duration_seconds', 'How long reconciles take.')
  }

  observe(name: Name, queue: QueueGauge): void {
    this.#queues.set(name, queue)
  }

  forget(): void {
    this.#queues.clear()
  }

  started(name: Name, waitedSeconds: number): void {
    this.#waits[name].observe(waitedSeconds)
  }

  worked(name: Name, seconds: number): void {
    this.#works[name].observe(seconds)
  }

  /** Has all say what is so now. */
  collect(): void {
    for (const [what, gauge] of this.#gauges) {
      gauge.reset()
      for (const [name, queue] of this.#queues) gauge.set({ name }, queue[what])
    }
    for (const [what, counter] of this.#counters) {
      counter.reset()
      for (const [name, queue] of this.#queues) counter.inc({ name }, queue[what])
    }
  }
}
