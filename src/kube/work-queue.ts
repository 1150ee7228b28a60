/**
 * Keys that wait for work, as client-go's rate-limited work queue: a key is in it once however often it is added, at most
 * one worker has it at a time, and one that is added while it is worked on is worked on once more.
 *
 * Failures: after the n-th failure in a row a key waits 250 ms · 2^(n-1), at most 5 minutes, ±20 %; after an error with
 * `retryAfterSeconds` at least that long. A new event (`add`) does not wait for that: it brings the next attempt forward
 * to a tenth of the wait, at most 10 s after the failure. So a key whose cause was cured runs at once in practice, while
 * a loop of events that the failing work itself sets off is still slowed down exponentially. `retryAfterSeconds` is the
 * server's word and is not cut short.
 *
 * Keys that an event concerns do not wait for a sweep, the many that one cause concerns (a rotation): of four keys that
 * begin, three are of the first kind while there are such, so that neither ever stands still. And for a second after an
 * event a sweep has a quarter of the workers: a key that has a worker waits in the API server all the same, behind the
 * writes of the sweep, and so does whatever else it needs of others, such as a ServiceAccount.
 *
 * A run answers all that was asked before it began: a deadline set before (`addAfter`, or what `work` returned) is gone.
 */
import { askedWait, backoff } from './backoff.ts'
import { Line } from './line.ts'

const firstRetryMs = 250
const maxRetryMs = 5 * 60_000
/** How early an event may bring a retry forward. */
const earlyShare = 0.1
const maxEarlyMs = 10_000
/** setTimeout's limit; a key that waits longer is looked at early, which does no harm. */
const maxTimerMs = 2 ** 31 - 1
/** Of so many keys that begin while both kinds wait, one is of a sweep. */
const sweepTurn = 4
/** A sweep has one of so many workers after an event, for so many milliseconds. */
const sweepShare = 4
const courtesyMs = 1_000

/** A number, or a Pace. */
export interface Concurrency {
  readonly limit: number
}

export interface WorkQueueOptions {
  /** Keys that may be worked on at the same time, asked for whenever one could begin; at least 1. */
  concurrency: Concurrency
  /**
   * Makes `key` right. May return the milliseconds after which to run again, or `NotNow` when it has not begun. A throw
   * is a failure.
   */
  work(key: string): Promise<number | NotNow | undefined> | Promise<void>
  /** Called before each run; must not throw. */
  onStart?(waitedSeconds: number): void
  /** Called after each failure; must not throw. */
  onFailure?(key: string, error: unknown, retry: { failures: number; waitMs: number }): void
}

/** Not begun, for want of something that others have: its failures before count on. */
export class NotNow {
  /** Milliseconds until the next attempt. */
  readonly retryMs: number

  constructor(retryMs: number) {
    this.retryMs = retryMs
  }
}

interface Item {
  readonly key: string
  state: 'waiting' | 'queued' | 'running'
  /** performance.now() at which it was queued or began to run. */
  since: number
  /** Added while running. */
  dirty: boolean
  /** Asked for by an event, since its last success. */
  urgent: boolean
  failures: number
  /** Not to be run before this; follows from a failure. */
  notBefore: number
  /** When it is to be run (waiting) or to be run again (running). Infinity: not asked for. */
  dueAt: number
  timer: NodeJS.Timeout | undefined
}

export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #items = new Map<string, Item>()
  readonly #running = new Set<Item>()
  readonly #urgent = new Line<Item>()
  readonly #swept = new Line<Item>()
  /** Keys that have begun while both kinds waited. */
  #turns = 0
  /** Of those being worked on, how many are of a sweep. */
  #sweeping = 0
  /** performance.now() of the last event about a key without a worker. */
  #eventAt = Number.NEGATIVE_INFINITY
  /** Ends the time in which a sweep is held back: all its workers may be held up themselves. */
  #courtesy: NodeJS.Timeout | undefined
  #pumping = false
  #closed = false
  #added = 0
  #retried = 0
  #idleWaiters: (() => void)[] = []

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** Something has happened to `key`. Never runs work before it returns. */
  add(key: string): void {
    const item = this.#item(key)
    if (item === undefined) return
    item.urgent = true
    // One that is being worked on has its worker, and mostly hears of its own write.
    if (item.state !== 'running') this.#eventAt = performance.now()
    this.#event(item)
  }

  /** As `add`, for one of many keys that something has happened to: it lets others go first. */
  sweep(key: string): void {
    const item = this.#item(key)
    if (item) this.#event(item)
  }

  /** Look at `key` in `ms` milliseconds. Of several such wishes the earliest counts. */
  addAfter(key: string, ms: number): void {
    const time = performance.now() + ms
    const item = this.#item(key)
    if (item?.state === 'running') item.dueAt = Math.min(item.dueAt, time)
    else if (item?.state === 'waiting') this.#runAt(item, time)
  }

  /** Drops the failures and the deadlines of a key, for instance when its object is gone. */
  forget(key: string): void {
    const item = this.#items.get(key)
    if (item === undefined) return
    item.failures = 0
    item.notBefore = 0
    item.dueAt = Number.POSITIVE_INFINITY
    if (item.state === 'waiting') this.#drop(item)
  }

  /** Keys that are ready to run and wait for a worker. */
  get depth(): number {
    return this.#urgent.size + this.#swept.size
  }

  /** Keys that have come to wait for a worker, ever. */
  get added(): number {
    return this.#added
  }

  /** Runs that have failed and are repeated, ever. */
  get retried(): number {
    return this.#retried
  }

  /** Keys that may be worked on at the same time, at present. */
  get concurrency(): number {
    return this.#options.concurrency.limit
  }

  /** Keys being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** How long the key that came first has been waiting for a worker; 0 when none is. */
  get oldestSeconds(): number {
    const now = performance.now()
    return (now - Math.min(this.#urgent.first?.since ?? now, this.#swept.first?.since ?? now)) / 1000
  }

  /** How long the runs under way have lasted, together. */
  get unfinishedSeconds(): number {
    const now = performance.now()
    let ms = 0
    for (const { since } of this.#running) ms += now - since
    return ms / 1000
  }

  /** How long the longest run under way has lasted; 0 when nothing runs. */
  get longestRunningSeconds(): number {
    const [longest] = this.#running // in the order of their start
    return longest === undefined ? 0 : (performance.now() - longest.since) / 1000
  }

  /** Resolves when nothing is queued or running. Keys that wait for a deadline do not count. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Starts nothing new. Resolves when what runs has ended. */
  close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#courtesy)
    for (const item of this.#items.values()) clearTimeout(item.timer)
    this.#items.clear()
    this.#urgent.clear()
    this.#swept.clear()
    return this.idle()
  }

  /** Undefined after `close`. */
  #item(key: string): Item | undefined {
    if (this.#closed) return undefined
    const item = this.#items.get(key) ?? newItem(key)
    this.#items.set(key, item)
    return item
  }

  #event(item: Item): void {
    if (item.state === 'running') item.dirty = true
    else if (item.state === 'waiting') this.#runAt(item, performance.now())
    else if (item.urgent) this.#lineUp(item)
  }

  /** Runs a waiting item at this time, or earlier if that was asked for before. */
  #runAt(item: Item, time: number): void {
    const dueAt = Math.max(time, item.notBefore)
    if (dueAt >= item.dueAt) return
    clearTimeout(item.timer)
    item.timer = undefined
    item.dueAt = dueAt
    const ms = dueAt - performance.now()
    if (ms <= 0) this.#enqueue(item)
    else item.timer = setTimeout(() => this.#enqueue(item), Math.min(ms, maxTimerMs))
  }

  #enqueue(item: Item): void {
    item.state = 'queued'
    item.since = performance.now()
    this.#added++
    this.#lineUp(item)
    this.#pumpSoon()
  }

  /**
   * After all that has come in over the network by now: ten events about one key are then one run. By microtasks alone, one
   * that takes long and is asked for all the time would keep the events out that it is to go by.
   */
  #pumpSoon(): void {
    if (this.#pumping) return
    this.#pumping = true
    setImmediate(() => this.#pump())
  }

  #pump(): void {
    this.#pumping = false
    while (this.#running.size < this.concurrency) {
      const item = this.#next()
      if (item === undefined) break
      void this.#run(item)
    }
    clearTimeout(this.#courtesy)
    const isHeldBack = this.#swept.size > 0 && this.#running.size < this.concurrency
    if (isHeldBack) this.#courtesy = setTimeout(() => this.#pumpSoon(), this.#courtesyLeft())
  }

  /** One that an event has come for meanwhile leaves the line of the swept. */
  #lineUp(item: Item): void {
    if (item.urgent) this.#swept.delete(item)
    const line = item.urgent ? this.#urgent : this.#swept
    line.add(item)
  }

  #next(): Item | undefined {
    if (this.#swept.size === 0 || !this.#maySweep()) return this.#urgent.shift()
    const isSweepTurn = this.#urgent.size > 0 && ++this.#turns % sweepTurn === 0
    return (isSweepTurn ? undefined : this.#urgent.shift()) ?? this.#swept.shift()
  }

  #maySweep(): boolean {
    if (this.#courtesyLeft() <= 0) return true
    return this.#sweeping < Math.max(1, Math.floor(this.concurrency / sweepShare))
  }

  /** Milliseconds in which a sweep is still held back. */
  #courtesyLeft(): number {
    return this.#eventAt + courtesyMs - performance.now()
  }

  async #run(item: Item): Promise<void> {
    const now = performance.now()
    this.#options.onStart?.((now - item.since) / 1000)
    const isSweep = !item.urgent
    if (isSweep) this.#sweeping++
    item.state = 'running'
    item.since = now
    item.dirty = false
    item.dueAt = Number.POSITIVE_INFINITY
    item.timer = undefined
    this.#running.add(item)
    try {
      const againMs = await this.#options.work(item.key)
      if (againMs instanceof NotNow) {
        item.dueAt = performance.now() + againMs.retryMs
      } else {
        item.failures = 0
        item.notBefore = 0
        item.urgent = item.dirty && item.urgent
      }
      if (typeof againMs === 'number') item.dueAt = Math.min(item.dueAt, performance.now() + againMs)
    } catch (error) {
      this.#failed(item, error)
    }
    this.#running.delete(item)
    if (isSweep) this.#sweeping--
    if (!this.#closed) {
      this.#settle(item)
      if (this.depth > 0) this.#pumpSoon()
    }
    if (this.#isIdle()) for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #failed(item: Item, error: unknown): void {
    item.failures++
    this.#retried++
    const now = performance.now()
    const { waitMs, askedMs } = waitAfter(item.failures, error)
    item.notBefore = now + Math.max(Math.min(waitMs * earlyShare, maxEarlyMs), askedMs)
    item.dueAt = Math.min(Math.max(item.dueAt, item.notBefore), now + waitMs)
    this.#options.onFailure?.(item.key, error, { failures: item.failures, waitMs })
  }

  /** After a run: again at once, again later, or nothing more to know of this key. */
  #settle(item: Item): void {
    const dueAt = item.dirty ? 0 : item.dueAt
    item.state = 'waiting'
    item.dueAt = Number.POSITIVE_INFINITY
    if (dueAt === Number.POSITIVE_INFINITY) this.#drop(item)
    else this.#runAt(item, dueAt)
  }

  #drop(item: Item): void {
    clearTimeout(item.timer)
    this.#items.delete(item.key)
  }

  #isIdle(): boolean {
    return this.depth === 0 && this.#running.size === 0
  }
}

function newItem(key: string): Item {
  return {
    key,
    state: 'waiting',
    since: 0,
    dirty: false,
    urgent: false,
    failures: 0,
    notBefore: 0,
    dueAt: Number.POSITIVE_INFINITY,
    timer: undefined,
  }
}

/** Milliseconds to wait after the n-th failure in a row, and how many of them the server has asked for. */
export function waitAfter(failures: number, error: unknown): { waitMs: number; askedMs: number } {
  const askedMs = askedWait(error)
  return { waitMs: Math.max(backoff(failures, firstRetryMs, maxRetryMs), askedMs), askedMs }
}
