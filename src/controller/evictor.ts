/**
 * Evicts stuck pods, so that their controllers make them anew: through the Eviction API, slowly, and only as they were seen.
 *
 * Brakes: a few at once in the whole cluster, then one every ten seconds; of one controller one at a time, and ever more
 * rarely while those that were made since are stuck again.
 */
import { fieldManager } from '../api/names.ts'
import { ApiError, isForbidden, isOvertaken } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { remember } from '../kube/remember.ts'
import { TokenBuckets } from '../kube/token-bucket.ts'
import { type Case, healsByNewPod, type Verdict } from '../model/stuck-pod.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { EvictionResult } from '../telemetry/metrics.ts'
import type { Reporter } from './reporter.ts'

export interface EvictorParts {
  client: KubeClient
  reporter: Reporter
  log: Logger
  /** For metrics. */
  evictionAsked(result: EvictionResult): void
}

/** What is known of a controller whose pods were to be evicted. */
interface Turn {
  /** The login in use, and the list of the ServiceAccount, when one was evicted last. */
  situation: string
  /** When one was evicted first, as the API counts: in full seconds, but as milliseconds since 1970. */
  evictedAt: number
  /** How often a pod made since was stuck again, for another login or another list. */
  futile: number
  /** How often in a row the API server has said: not now. */
  delays: number
  /** In ms of performance.now(). */
  notBefore: number
}

const firstTurn: Turn = { situation: '', evictedAt: Number.POSITIVE_INFINITY, futile: 0, delays: 0, notBefore: 0 }

const burst = 5
const refillMs = 10_000
/** Between two pods of one controller: the first one's successor has shown by then what becomes of it. */
const pauseMs = 30_000
const maxPauseMs = 12 * 60 * 60_000
/** After a 429; doubled by each further one. */
const delayMs = 10_000
const maxDelayMs = 10 * 60_000
/** Where evictions are forbidden, until it is tried again. */
const forbiddenMs = 10 * 60_000
/** What a watch tells may be news to the API server's admission for a moment. */
const settleMs = 6_000
/** Controllers and namespaces that are remembered; beyond it those that were used longest ago are forgotten. */
const maxRemembered = 10_000

export class Evictor {
  readonly #parts: EvictorParts
  readonly #bucket = new TokenBuckets(burst, refillMs)
  /** By the uid of the controller. */
  readonly #turns = new Map<string, Turn>()
  /** Namespace → performance.now() until which no eviction is tried there. */
  readonly #forbidden = new Map<string, number>()
  /** Credentials that have been told. */
  readonly #told = new Set<string>()

  constructor(parts: EvictorParts) {
    this.#parts = parts
  }

  /**
   * @returns milliseconds after which to look again; undefined: nothing more can or need be done
   * @throws what a later attempt may not meet
   */
  async heal(verdict: Verdict, stuck: Case): Promise<number | undefined> {
    const { pod, serviceAccount, credential, issuedAt, heldMs } = stuck
    const controller = pod.replacedBy
    if (credential.healPods !== 'Evict' || !healsByNewPod(verdict) || controller === undefined) return undefined
    const turn = this.#turns.get(controller) ?? firstTurn
    const now = performance.now()
    const until = Math.max(turn.notBefore, this.#forbidden.get(pod.namespace) ?? 0, now + settleMs - heldMs)
    if (until > now) return until - now
    if (!this.#bucket.take('')) return refillMs
    const fullSecond = Math.floor(Date.now() / 1000) * 1000
    try {
      await this.#post(pod)
    } catch (error) {
      if (isOvertaken(error)) return undefined // it has moved on, and the watch tells
      if (isForbidden(error)) return this.#isForbidden(pod.namespace, credential)
      if (!(error instanceof ApiError) || error.code !== 429) throw error
      const waitMs = Math.max(Math.min(delayMs * 2 ** turn.delays, maxDelayMs), (error.retryAfterSeconds ?? 0) * 1000)
      remember(this.#turns, controller, { ...turn, delays: turn.delays + 1, notBefore: now + waitMs }, maxRemembered)
      this.#isDelayed(pod)
      return waitMs
    }
    const situation = `${issuedAt} ${serviceAccount?.listedAt}`
    const isFutile = pod.createdAt >= turn.evictedAt && situation !== turn.situation
    const futile = turn.futile + (isFutile ? 1 : 0)
    const evictedAt = Math.min(turn.evictedAt, fullSecond)
    const notBefore = now + Math.min(pauseMs * 2 ** futile, maxPauseMs)
    remember(this.#turns, controller, { situation, evictedAt, futile, delays: 0, notBefore }, maxRemembered)
    this.#isEvicted(stuck)
    return undefined
  }

  /** Only this very pod as it was seen: one that has moved on may be pulling by now. */
  async #post({ namespace, name, uid, resourceVersion }: Case['pod']): Promise<void> {
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      deleteOptions: { preconditions: { uid, resourceVersion } },
    }
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
    await this.#parts.client.create(path, eviction, { fieldManager })
  }

  #isEvicted({ pod, credential }: Case): void {
    const { reporter, log, evictionAsked } = this.#parts
    evictionAsked('evicted')
    log.info('evicted a pod that could not pull', {
      namespace: pod.namespace,
      pod: pod.name,
      credential: credential.name,
    })
    const note = `Evicted for a new one, which gets Secret ${credential.secretName} of RegistryCredential ${credential.name} as it is now.`
    reporter.aboutPod(pod, 'Normal', 'Evicted', 'EvictPod', note)
  }

  #isDelayed(pod: Case['pod']): void {
    this.#parts.evictionAsked('delayed')
    const note =
      'It is to be evicted for a new one that can pull, but not now, by a PodDisruptionBudget or the load of the API server; that is tried again.'
    this.#parts.reporter.aboutPod(pod, 'Warning', 'EvictionDelayed', 'EvictPod', note)
  }

  #isForbidden(namespace: string, credential: Case['credential']): number {
    this.#parts.evictionAsked('forbidden')
    remember(this.#forbidden, namespace, performance.now() + forbiddenMs, maxRemembered)
    if (this.#told.has(credential.uid)) return forbiddenMs
    this.#told.add(credential.uid)
    const note = `spec.healPods is Evict, but evictions in namespace ${namespace} are forbidden: add the component config/evict-pods to the installation (Helm: evictPods.enabled), or set Report. Until then stuck pods are only reported.`
    this.#parts.log.warn(note, { credential: credential.name })
    this.#parts.reporter.about(credential, 'Warning', 'EvictionForbidden', 'EvictPod', note)
    return forbiddenMs
  }
}
