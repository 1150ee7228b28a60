/**
 * The watch of the pods that have not started, there only while some credential asks for it. Nothing else waits for it: where
 * the operator may not see pods, it says so once and asks again from time to time.
 */
import { isForbidden } from '../kube/api-error.ts'
import { Cache } from '../kube/cache.ts'
import type { KubeClient } from '../kube/client.ts'
import { type Reflector, type RestartReason, reflect } from '../kube/reflector.ts'
import type { ObservedPod } from '../model/stuck-pod.ts'
import type { Logger } from '../telemetry/logger.ts'
import { observePod } from './observe-pod.ts'

export interface PodWatchParts {
  client: KubeClient
  log: Logger
  /** Ends it. */
  signal: AbortSignal
  /** A pod of this namespace waits for an image, or does no more, in want of a login. */
  changed(namespace: string): void
  /** All that was known is known no more, or may be known again. */
  reset(): void
  restarted(reason: RestartReason): void
}

/** Milliseconds until the right to see pods is tried again. */
const forbiddenMs = 60_000

interface Open {
  cache: Cache<ObservedPod>
  reflector: Reflector
  abort: AbortController
  isListed: boolean
  /** Namespaces of the first list in which pods wait and that are yet to be looked at. */
  unread: Set<string>
}

export class PodWatch {
  readonly #parts: PodWatchParts
  #open: Open | undefined
  #wanted = false
  #forbidden = false
  #told = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: PodWatchParts) {
    this.#parts = parts
  }

  want(wanted: boolean): void {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#forbidden = false
    if (wanted) this.#start()
    else this.#stop()
  }

  /** The API server does not let the operator see pods. */
  get isForbidden(): boolean {
    return this.#forbidden
  }

  /** All pods that waited when the watch began have been looked at. */
  get isRead(): boolean {
    return this.#open?.isListed === true && this.#open.unread.size === 0
  }

  /** The pods of the namespace have been looked at, with all that there is to go by. */
  looked(namespace: string): void {
    if (this.#open?.unread.delete(namespace) && this.isRead) this.#parts.reset()
  }

  /** The pods of the namespace that wait for an image in want of a login. */
  *waiting(namespace: string): Generator<ObservedPod, void, undefined> {
    for (const pod of this.#open?.cache.inNamespace(namespace) ?? []) if (pod.waits.length > 0) yield pod
  }

  async close(): Promise<void> {
    const done = this.#open?.reflector.done
    this.#wanted = false
    this.#stop()
    await done
  }

  #start(): void {
    const { client, log, signal, changed, reset, restarted } = this.#parts
    if (!this.#wanted || signal.aborted) return
    const abort = new AbortController()
    const cache = new Cache(observePod)
    const unread = new Set<string>()
    cache.subscribe(({ namespace, before, after }) => {
      if (!before?.waits.length && !after?.waits.length) return
      if (!open.isListed) unread.add(namespace)
      changed(namespace)
    })
    const reflector = reflect({
      client,
      path: '/api/v1/pods',
      query: { fieldSelector: 'status.phase=Pending' }, // one that waits for its first image; never one that runs
      cache,
      log,
      signal: AbortSignal.any([signal, abort.signal]),
      onRestart: restarted,
      onProblem: (error) => {
        if (!isForbidden(error)) return false
        this.#refused()
        return true
      },
    })
    const open = { cache, reflector, abort, isListed: false, unread }
    this.#open = open
    const isListed = () => {
      open.isListed = true
      if (this.#open !== open) return
      this.#forbidden = false
      if (this.isRead) reset()
    }
    reflector.synced.then(isListed, () => {})
  }

  #refused(): void {
    this.#stop()
    if (!this.#told) {
      this.#parts.log.warn('pods cannot be watched, so those that are stuck go unseen; everything else works', {
        cure: 'let the operator list and watch pods (config/rbac), or set spec.healPods: "Off"',
      })
    }
    this.#told = true
    this.#timer = setTimeout(() => this.#start(), forbiddenMs)
    this.#timer.unref()
    if (this.#forbidden) return
    this.#forbidden = true
    this.#parts.reset()
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#open?.abort.abort()
    this.#open = undefined
    if (!this.#wanted && !this.#parts.signal.aborted) this.#parts.reset()
  }
}
