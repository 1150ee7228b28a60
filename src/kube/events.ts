/**
 * Kubernetes Events (events.k8s.io/v1): what `kubectl describe` shows under an object.
 *
 * Recording never throws and never waits: a writer in the background sends what is due. What is said again within a few
 * minutes becomes a series (a count) of the first Event, and an object about which too much is said is cut short, as in
 * client-go; so a failing reconcile cannot fill etcd.
 */
import { fieldManager } from '../api/names.ts'
import type { Logger } from '../telemetry/logger.ts'
import { ApiError, isNotFound } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { microTime } from './micro-time.ts'
import { TokenBuckets } from './token-bucket.ts'

export interface EventSource {
  apiVersion: string
  kind: string
  /** Absent for a cluster-scoped object. */
  namespace?: string
  name: string
  uid: string
}

export interface EventRecord {
  regarding: EventSource
  type: 'Normal' | 'Warning'
  /** Why, in UpperCamelCase, at most 128 characters. */
  reason: string
  /** What was done or tried, in UpperCamelCase, at most 128 characters. */
  action: string
  /** For people; cut at 1,024 bytes. Without secrets. */
  note: string
}

export interface EventRecorderOptions {
  client: KubeClient
  /** Which of several replicas: the name of the pod or host. */
  instance: string
  log: Logger
}

const reportingController = 'regcred.dev/operator'
const maxNoteBytes = 1024
/** Events about one object: so many at once, then one every so often (client-go's spam filter). */
const burst = 25
const refillMs = 5 * 60_000
/** Repetitions are collected for so long before the count of the series is written. */
const collectMs = 10_000
/** A series ends when nothing was added to it for so long (client-go: 6 minutes). */
const seriesMs = 6 * 60_000
/** Series remembered at a time; beyond it the least recent is forgotten. */
const maxSeries = 1_000
/** For each request, and for all that `close` still writes. */
const timeoutMs = 5_000

interface Series {
  readonly record: EventRecord
  readonly firstSeen: Date
  lastSeen: Date
  count: number
  /** `<collection>/<name>` once the Event exists. */
  path: string | undefined
  /** The API server does not know the current count. */
  dirty: boolean
}

export class EventRecorder {
  readonly #options: EventRecorderOptions
  /** By what is said about whom; least recently said first. */
  readonly #series = new Map<string, Series>()
  readonly #buckets = new TokenBuckets(burst, refillMs)
  readonly #timer: NodeJS.Timeout
  #writing: Promise<void> | undefined
  /** performance.now() after which nothing is sent any more. */
  #until = Number.POSITIVE_INFINITY

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), collectMs)
    this.#timer.unref()
  }

  record(record: EventRecord): void {
    if (this.#until !== Number.POSITIVE_INFINITY) return
    const { regarding, type, reason, note } = record
    const key = JSON.stringify([regarding.uid, type, reason, note])
    const now = new Date()
    const known = this.#series.get(key)
    if (known !== undefined) {
      known.count++
      known.lastSeen = now
      known.dirty = true
      this.#series.delete(key)
      this.#series.set(key, known)
      return
    }
    if (!this.#buckets.take(regarding.uid)) return
    this.#series.set(key, { record, firstSeen: now, lastSeen: now, count: 1, path: undefined, dirty: true })
    for (const oldest of this.#series.keys()) {
      if (this.#series.size <= maxSeries) break
      this.#series.delete(oldest)
    }
    void this.flush()
  }

  /** Writes all that is due. Never rejects. */
  async flush(): Promise<void> {
    // A write under way may have passed what was recorded since.
    await this.#writing
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  /** Writes what is due, as far as a few seconds allow, and records nothing more. */
  async close(): Promise<void> {
    this.#until = performance.now() + timeoutMs
    clearInterval(this.#timer)
    await this.flush()
  }

  #tick(): void {
    const end = Date.now() - seriesMs
    for (const [key, { dirty, lastSeen }] of this.#series) {
      if (lastSeen.getTime() < end && !dirty) this.#series.delete(key)
    }
    this.#buckets.prune()
    void this.flush()
  }

  /** One after the other: Events may be late, and must not take connections from what matters. */
  async #write(): Promise<void> {
    for (const [key, series] of this.#series) {
      if (performance.now() > this.#until) return
      if (!series.dirty) continue
      series.dirty = false
      try {
        await this.#send(series)
      } catch (error) {
        this.#options.log.debug('an Event was not written', { error, reason: series.record.reason })
        // Refused for good: the namespace is gone or terminating, RBAC does not allow it … Otherwise the next tick tries again.
        const refused = error instanceof ApiError && error.code < 500 && error.code !== 429
        if (refused) this.#series.delete(key)
        else series.dirty = true
        if (!refused) return
      }
    }
  }

  async #send(series: Series): Promise<void> {
    const { client } = this.#options
    const { count, lastSeen } = series
    if (series.path !== undefined && count > 1) {
      try {
        const body = { series: { count, lastObservedTime: microTime(lastSeen) } }
        await client.mergePatch(series.path, body, { fieldManager, timeoutMs })
        return
      } catch (error) {
        // Events live for an hour.
        if (!isNotFound(error)) throw error
      }
    }
    series.path = undefined
    const event = this.#eventOf(series)
    const { namespace, name } = event.metadata
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
    await client.create(path, event, { fieldManager, timeoutMs })
    series.path = `${path}/${name}`
  }

  #eventOf({ record, firstSeen, lastSeen, count }: Series) {
    const { regarding, type, reason, action, note } = record
    const id = `${Date.now().toString(16)}${Math.floor(Math.random() * 2 ** 32).toString(16)}`
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        // Events about cluster-scoped objects live in `default`, where kubectl describe looks for them.
        namespace: regarding.namespace ?? 'default',
        name: `${regarding.name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${id}`,
      },
      eventTime: microTime(firstSeen),
      reportingController,
      reportingInstance: this.#options.instance,
      regarding,
      type,
      reason,
      action,
      note: cut(note),
      ...(count > 1 && { series: { count, lastObservedTime: microTime(lastSeen) } }),
    }
  }
}

/** The API server counts bytes. A character that the cut goes through is dropped. */
function cut(note: string): string {
  const bytes = Buffer.from(note)
  if (bytes.length <= maxNoteBytes) return note
  const room = maxNoteBytes - Buffer.byteLength('…')
  return `${bytes.toString('utf8', 0, room).replace(/\uFFFD+$/, '')}…`
}
