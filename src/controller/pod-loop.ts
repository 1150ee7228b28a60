/**
 * The pod loop: which pods of this namespace cannot pull, though a credential is there for them, what is told about it, and
 * what is done. It looks at all that wait, whatever woke it, and only at namespaces that are up to date: what is on its
 * way may heal them.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises'
import { remember } from '../kube/remember.ts'
import { TokenBuckets } from '../kube/token-bucket.ts'
import type { CredentialState } from '../model/desired.ts'
import { keyMatchesImage } from '../model/keyring.ts'
import { noteOf } from '../model/pod-note.ts'
import { selectsNamespace } from '../model/selection.ts'
import { attemptedMs, type Case, looksAtPods, type ObservedPod, type Verdict, verdictOf } from '../model/stuck-pod.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import type { CredentialRecord, CredentialStates } from './credential-states.ts'
import type { Evictor } from './evictor.ts'
import type { PodWatch } from './pod-watch.ts'
import type { Reporter } from './reporter.ts'

export interface PodLoopParts {
  caches: Pick<Caches, 'credentials' | 'namespaces' | 'serviceAccounts'>
  credentials: CredentialStates
  board: Board
  watch: PodWatch
  evictor: Evictor
  reporter: Reporter
  touchStatus(credential: string): void
}

/** A credential that is for the namespace, and what of its entries is in use there. */
type Judge = Pick<Case, 'credential' | 'issuedAt' | 'covers'>

/** What is remembered of a pod that waits. */
interface Memory {
  /** The situations it is in → performance.now() since when. */
  since: ReadonlyMap<string, number>
  /** What its Events have said. */
  told: Set<string>
}

/** Pods that are remembered; beyond it those that were looked at longest ago are forgotten. */
const maxRemembered = 20_000
/** Events: when thousands of pods are stuck, all are told, but not all at once. */
const eventBurst = 200
const eventMs = 100
const eventPauseMs = 5_000

export class PodLoop {
  readonly #parts: PodLoopParts
  /** Namespace → credential → pods that are stuck. */
  readonly #stuck = new Map<string, ReadonlyMap<string, number>>()
  /** By uid. */
  readonly #memories = new Map<string, Memory>()
  readonly #events = new TokenBuckets(eventBurst, eventMs)

  constructor(parts: PodLoopParts) {
    this.#parts = parts
  }

  /** How many pods are stuck for a credential; undefined: nobody looks, or has looked yet. */
  stuckOf(state: CredentialState): number | undefined {
    const { caches, watch } = this.#parts
    const { name } = state.credential
    if (!looksAtPods(state) || watch.isForbidden) return undefined
    if (!watch.isRead) return caches.credentials.get('', name)?.status?.pods?.stuck // as the operator before has left it
    let sum = 0
    for (const counts of this.#stuck.values()) sum += counts.get(name) ?? 0
    return sum
  }

  /** Namespaces in which pods were stuck when they were looked at last. */
  namespaces(): string[] {
    return [...this.#stuck.keys()]
  }

  /** Whether there is anything to look at. */
  concerns(namespace: string): boolean {
    return this.#stuck.has(namespace) || !this.#parts.watch.waiting(namespace).next().done
  }

  /**
   * @returns milliseconds after which to look again
   * @throws the first error that a later attempt may not meet; all other pods are looked at all the same
   */
  async reconcile(name: string): Promise<number | undefined> {
    const { judges, awaited } = this.#judgesOf(name)
    const counts = new Map([...(this.#stuck.get(name) ?? [])].filter(([credential]) => awaited.has(credential)))
    const errors: unknown[] = []
    let againMs = Number.POSITIVE_INFINITY
    for (const pod of judges.length > 0 ? [...this.#parts.watch.waiting(name)] : []) {
      await turnOfOthers() // thousands of pods of one namespace must not hold up the lease
      const cases = this.#casesOf(pod, judges)
      for (const stuck of cases) {
        const verdict = verdictOf(stuck)
        if (verdict === undefined) continue
        if (stuck.heldMs < attemptedMs) againMs = Math.min(againMs, attemptedMs - stuck.heldMs)
        if (verdict === 'wait') continue
        counts.set(stuck.credential.name, (counts.get(stuck.credential.name) ?? 0) + 1)
        if (!this.#tell(verdict, stuck)) againMs = Math.min(againMs, eventPauseMs)
        try {
          againMs = Math.min(againMs, (await this.#parts.evictor.heal(verdict, stuck)) ?? againMs)
        } catch (error) {
          errors.push(error)
        }
      }
    }
    this.#count(name, counts)
    if (awaited.size === 0) this.#parts.watch.looked(name)
    if (errors.length > 0) throw errors[0]
    return Number.isFinite(againMs) ? againMs : undefined
  }

  /** @returns also the credentials that are on their way to the namespace, which wakes this loop when they are there */
  #judgesOf(name: string): { judges: Judge[]; awaited: ReadonlySet<string> } {
    const { caches, credentials, board } = this.#parts
    const namespace = caches.namespaces.get('', name)
    const judges: Judge[] = []
    const awaited = new Set<string>()
    if (namespace === undefined) return { judges, awaited }
    for (const record of credentials.all()) {
      const { credential, entries, version, material } = record
      if (!looksAtPods(record) || !selectsNamespace(credential, namespace)) continue
      const outcome = board.outcomeOf(credential.name, name)
      if (!outcome || (entries && outcome.version !== version && !outcome.failure)) awaited.add(credential.name)
      else if (entries && !outcome.failure) {
        const lost = new Set(outcome.overlaps.filter(({ loser }) => loser === credential.name).map(({ key }) => key))
        const issuedAt = Date.parse(material?.issuedAt ?? '')
        judges.push({ credential, issuedAt, covers: coverageOf(record, lost) })
      }
    }
    return { judges, awaited }
  }

  #casesOf(pod: ObservedPod, judges: readonly Judge[]): Case[] {
    const concerned = judges.filter(({ covers }) => pod.waits.some(({ image }) => covers(image)))
    if (concerned.length === 0) return [] // and nothing is remembered of it
    const serviceAccount = this.#parts.caches.serviceAccounts.get(pod.namespace, pod.serviceAccount)
    const before = this.#memories.get(pod.uid)
    const now = performance.now()
    const since = new Map<string, number>()
    const cases = concerned.map((judge) => {
      const situation = `${judge.credential.uid} ${judge.issuedAt} ${serviceAccount?.listedAt}`
      since.set(situation, before?.since.get(situation) ?? now)
      return { ...judge, pod, serviceAccount, heldMs: now - (since.get(situation) ?? now) }
    })
    remember(this.#memories, pod.uid, { since, told: before?.told ?? new Set() }, maxRemembered)
    return cases
  }

  /** Once for each pod and problem. @returns false: later */
  #tell(verdict: Verdict, stuck: Case): boolean {
    const { pod, credential } = stuck
    const told = this.#memories.get(pod.uid)?.told
    const problem = `${verdict} ${credential.secretName}`
    if (told?.has(problem)) return true
    if (!this.#events.take('')) return false
    told?.add(problem)
    this.#parts.reporter.aboutPod(pod, 'Warning', verdict, 'PullImage', noteOf(verdict, stuck))
    return true
  }

  #count(namespace: string, counts: ReadonlyMap<string, number>): void {
    const before = this.#stuck.get(namespace) ?? new Map<string, number>()
    if (counts.size > 0) this.#stuck.set(namespace, counts)
    else this.#stuck.delete(namespace)
    for (const credential of new Set([...before.keys(), ...counts.keys()])) {
      if (before.get(credential) !== counts.get(credential)) this.#parts.touchStatus(credential)
    }
  }
}

/** @param lost keys for which another credential's entry is in the Secret */
function coverageOf({ entries }: CredentialRecord, lost: ReadonlySet<string>): Judge['covers'] {
  const keys = [...(entries?.keys() ?? [])].filter((key) => !lost.has(key))
  const known = new Map<string, boolean>()
  return (image) => {
    const covers = known.get(image) ?? keys.some((key) => keyMatchesImage(key, image))
    known.set(image, covers)
    return covers
  }
}
