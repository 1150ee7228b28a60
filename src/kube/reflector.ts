/**
 * Keeps a cache equal to what the API server holds of one resource type: list, then watch, for ever.
 *
 * The list comes in pages, of fewer objects where they are large. The watch asks for bookmarks and goes on from the last
 * version it has seen, whatever cut it; only 410 (that version is too old) leads to a new list, and at once. A watch without
 * a sign of life is given up, since a TCP connection that died silently looks just like a quiet cluster. After a failure it
 * waits, longer each time, with jitter.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../telemetry/logger.ts'
import { ApiError, ConnectionError, isGone, isNotFound, isTooLarge } from './api-error.ts'
import { askedWait, backoff } from './backoff.ts'
import type { Relist } from './cache.ts'
import type { KubeClient, Query } from './client.ts'
import { type KubeList, type KubeObject, metadataOnly, metadataOnlyList, type Status } from './objects.ts'
import { headOf, type ObjectHead } from './watch-event-head.ts'

const pageSize = 500
/**
 * Of a page's text; one that is larger is asked for again, with fewer objects. Whoever may write in a namespace could else
 * fill our memory: 2 MiB of `{},` are 45 MiB when they have been parsed (measured), and that is the worst there is.
 */
const maxPageBytes = 2 * 1024 * 1024
/** etcd holds 1.5 MiB of an object at most, of which each byte may be six in JSON (`\u003c`). */
const maxObjectBytes = 16 * 1024 * 1024
const firstRetryMs = 500
/** Short, since a server that is back goes unseen until then; a handful of watches with jitter is no burden to it. */
const maxRetryMs = 10_000
/** A resource type that does not exist yet (its CRD is missing) is asked for more often: somebody is installing it. */
const maxMissingRetryMs = 5_000
/** Bookmarks come about once a minute. */
const defaultIdleMs = 90_000
/** A watch that the server ends sooner counts as a failure, or something in between could make a hot loop of it. */
const shortWatchMs = 1_000
/** A watch that has been open for so long counts as a success, also without any event. */
const steadyMs = 5_000

/** What a reflector does to a Cache. */
export interface Reflected {
  knows(head: ObjectHead): boolean
  observe(type: 'ADDED' | 'MODIFIED' | 'DELETED', raw: KubeObject): void
  bookmark(version: string): void
  relist(version: string): Relist
}

/** Why a watch is opened again: the server ended it, 410, silence, or any other failure. */
export type RestartReason = 'closed' | 'expired' | 'idle' | 'error'

export interface ReflectorOptions {
  client: KubeClient
  /** Of the list, for instance /api/v1/secrets. */
  path: string
  /** For instance a fieldSelector. */
  query?: Query
  /** Ask for `metadata` only. */
  metadataOnly?: boolean
  cache: Reflected
  log: Logger
  /** Ends it. */
  signal: AbortSignal
  /** A watch is opened again; for metrics. Must not throw. */
  onRestart?: (reason: RestartReason) => void
  /**
   * Something has gone wrong that has not gone wrong before without a success in between. Must not throw.
   * @returns true: it has been told to people, and need not be logged
   */
  onProblem?: (error: Error) => boolean
  /** How long a watch may be silent, in ms. Default 90,000. */
  idleMs?: number
  /** Waits after a failure, until the signal at most. Tests see by it what is waited for, without waiting. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface ReflectorState {
  /** The first list is complete. Stays true. */
  synced: boolean
  /** Since the server was heard of last: an answer, an event or a bookmark. Infinity: never. */
  silentSeconds: number
  /** What is wrong at present. Free of secrets. */
  problem: string | undefined
}

export interface Reflector {
  /** The first list is complete. Rejects when the signal comes first. */
  synced: Promise<void>
  /** It has ended, because of the signal. Never rejects. */
  done: Promise<void>
  state(): ReflectorState
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: KubeObject
}

/** Starts at once. */
export function reflect(options: ReflectorOptions): Reflector {
  const loop = new ReflectorLoop(options)
  const done = loop.run()
  return { synced: loop.synced.promise, done, state: () => loop.state() }
}

class ReflectorLoop {
  readonly synced = Promise.withResolvers<void>()
  readonly #options: ReflectorOptions
  /** Where the watch goes on; undefined: list first. */
  #version: string | undefined
  #isSynced = false
  #watching = false
  #failures = 0
  /** No watch has been steady since the last 410. */
  #expired = false
  #problem: string | undefined
  #logged = false
  #heardAt = Number.NEGATIVE_INFINITY

  constructor(options: ReflectorOptions) {
    this.#options = options
    // Whoever does not await it must not bring the process down when the signal comes.
    this.synced.promise.catch(() => undefined)
  }

  async run(): Promise<void> {
    const { signal, onRestart } = this.#options
    while (!signal.aborted) {
      const failure = await this.#listAndWatch().catch((error: unknown) => error)
      if (signal.aborted) break
      if (isExpired(failure)) this.#version = undefined
      if (this.#watching) onRestart?.(reasonOf(failure))
      if (failure !== undefined) await this.#recoverFrom(failure)
    }
    this.synced.reject(new Error('stopped before the first list was complete'))
  }

  state(): ReflectorState {
    const silentSeconds = (performance.now() - this.#heardAt) / 1000
    return { synced: this.#isSynced, silentSeconds, problem: this.#problem }
  }

  /** @returns the version of the list */
  async #list(): Promise<string> {
    const { cache } = this.#options
    let relist: Relist | undefined
    const take = ({ metadata, items }: KubeList) => {
      relist ??= cache.relist(metadata.resourceVersion)
      for (const item of items ?? []) relist.add(item)
      return metadata
    }
    let next: string | undefined
    for (let limit = pageSize; ; ) {
      const page = await this.#page(limit, next, take)
      if (page === undefined) {
        limit = Math.floor(limit / 2)
        continue
      }
      limit = Math.min(2 * limit, pageSize)
      next = page.continue || undefined
      if (next !== undefined) continue
      relist?.finish()
      this.#isSynced = true
      this.synced.resolve()
      return page.resourceVersion
    }
  }

  /**
   * A function of its own, so that a page is garbage before the next one comes.
   * @returns undefined when that is too large
   */
  async #page<T>(limit: number, next: string | undefined, take: (page: KubeList) => T): Promise<T | undefined> {
    const { client, path, query, signal } = this.#options
    try {
      const page = await client.get<KubeList>(path, {
        query: { ...query, limit, continue: next },
        signal,
        maxBytes: limit > 1 ? maxPageBytes : maxObjectBytes,
        ...(this.#options.metadataOnly && { accept: metadataOnlyList }),
      })
      this.#heard()
      return take(page)
    } catch (error) {
      if (limit > 1 && isTooLarge(error)) return undefined
      throw error
    }
  }

  /** Returns when the server has ended the watch after a normal life. */
  async #listAndWatch(): Promise<void> {
    this.#watching = false
    this.#version ??= await this.#list()
    this.#watching = true
    const start = performance.now()
    await this.#watch(this.#version)
    if (performance.now() - start < shortWatchMs) throw new ShortWatchError()
  }

  async #watch(from: string): Promise<void> {
    const { client, path, query, signal, idleMs = defaultIdleMs } = this.#options
    signal.throwIfAborted() // by what the list has told
    const stop = new AbortController()
    const onAbort = () => stop.abort(signal.reason)
    signal.addEventListener('abort', onAbort)
    const idle = setTimeout(() => stop.abort(new SilenceError()), idleMs)
    let steady: NodeJS.Timeout | undefined
    try {
      await client.watch(path, {
        query: {
          ...query,
          watch: true,
          resourceVersion: from,
          allowWatchBookmarks: true,
          timeoutSeconds: Math.round(240 + 60 * Math.random()),
        },
        signal: stop.signal,
        onOpen: () => {
          this.#heard()
          steady = setTimeout(() => {
            this.#expired = false
            this.#recovered()
          }, steadyMs)
        },
        onLine: (line) => {
          idle.refresh()
          this.#takeLine(line)
        },
        ...(this.#options.metadataOnly && { accept: metadataOnly }),
      })
    } finally {
      clearTimeout(idle)
      clearTimeout(steady)
      signal.removeEventListener('abort', onAbort)
    }
  }

  #takeLine(line: string): void {
    const { cache } = this.#options
    // Most events of a busy time are echoes of our own writes, of which the cache wants nothing.
    const head = headOf(line)
    if (head !== undefined && cache.knows(head)) {
      this.#reached(head.resourceVersion)
      return
    }
    const { type, object } = parseEvent(line)
    if (type === 'ERROR') throw errorOf(object)
    this.#reached(object.metadata.resourceVersion)
    if (type === 'BOOKMARK') cache.bookmark(object.metadata.resourceVersion)
    else cache.observe(type, object)
  }

  #reached(version: string): void {
    this.#heard()
    this.#recovered()
    this.#version = version
  }

  #heard(): void {
    this.#heardAt = performance.now()
  }

  #recovered(): void {
    this.#failures = 0
    if (this.#logged) this.#options.log.info('watching again', { path: this.#options.path })
    this.#logged = false
    this.#problem = undefined
  }

  async #recoverFrom(error: unknown): Promise<void> {
    const { path, log, signal, onProblem, pause = defaultPause } = this.#options
    if (isExpired(error) && !this.#expired) {
      // Who can say so is well again, whatever failed before. But 410 upon 410 must not make a hot loop.
      this.#expired = true
      this.#failures = 0
      log.info('the watch has expired, listing again', { path })
      return
    }
    this.#failures++
    const backoffMs = backoff(this.#failures, firstRetryMs, isNotFound(error) ? maxMissingRetryMs : maxRetryMs)
    const problem = textOf(error)
    if (problem === this.#problem) {
      log.debug('list or watch still fails', { path, error })
    } else {
      this.#problem = problem
      if (!onProblem?.(error instanceof Error ? error : new Error(problem))) {
        log.warn('list or watch fails, trying again', { path, error })
        this.#logged = true
      }
    }
    await pause(Math.max(backoffMs, askedWait(error)), signal)
  }
}

async function defaultPause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

class SilenceError extends Error {
  constructor() {
    super('the watch was silent for too long')
  }
}

class ShortWatchError extends Error {
  constructor() {
    super('the watch was closed as soon as it was opened')
  }
}

/** The message of JSON.parse quotes its input, which may be a Secret. */
function parseEvent(line: string): WatchEvent {
  try {
    return JSON.parse(line)
  } catch {
    throw new ConnectionError('ERR_INVALID_JSON', 'the watch')
  }
}

/** The object of an ERROR event is a Status. */
function errorOf(object: unknown): ApiError {
  const status: Partial<Status> = typeof object === 'object' && object !== null ? object : {}
  return new ApiError(status.code ?? 500, status)
}

/** Also when the version is newer than what this API server has (its etcd was restored): only a list can help. */
function isExpired(error: unknown): boolean {
  return isGone(error) || (error instanceof ApiError && error.message.includes('Too large resource version'))
}

function reasonOf(error: unknown): RestartReason {
  if (error === undefined) return 'closed'
  if (error instanceof SilenceError) return 'idle'
  return isExpired(error) ? 'expired' : 'error'
}

function textOf(error: unknown): string {
  if (error instanceof ApiError) return `${error.code} ${error.reason}: ${error.message}`
  return error instanceof Error ? error.message : 'unknown error'
}
