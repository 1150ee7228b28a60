/** What came of one credential in one namespace, and the sum of that over all namespaces. */
import type { Contended, ContendedIn } from './contended.ts'
import type { Overlap } from './merge.ts'

export interface Outcome {
  /** The `CredentialState.version` that was at work. */
  version: number
  /** The version of which no older login is left in a Secret of ours; `noVersion` where one may be. */
  replaced: number
  /** False while it is only being taken away. */
  selected: boolean
  failure: Problem | undefined
  contended: Contended | undefined
  serviceAccounts: { selected: number; linked: number }
  overlaps: readonly Overlap[]
}

/** Of a namespace that has come to concern a credential, before the namespace loop has been there. */
export function pending(selected: boolean): Outcome {
  const serviceAccounts = { selected: 0, linked: 0 }
  const nothingYet = { version: noVersion, replaced: noVersion, failure: undefined, contended: undefined }
  return { ...nothingYet, selected, serviceAccounts, overlaps: [] }
}

/** Not of any credential: what it stands for counts as not yet synced. */
export const noVersion = -1

export interface Problem {
  /** CamelCase, for conditions, Events and `status.failures`. */
  reason: string
  /** A sentence for people; never holds secret data. */
  message: string
}

export interface Tally {
  selected: number
  synced: number
  failed: number
  /** Namespaces that it has still to be taken away from. */
  leaving: number
  serviceAccounts: { selected: number; linked: number }
  /** The first ten by namespace. */
  failures: (Problem & { namespace: string })[]
  /** All, by namespace. */
  contended: ContendedIn[]
  overlaps: Overlap[]
}

const maxFailures = 10

/** @param version outcomes of older versions count as not yet synced */
export function tally(outcomes: ReadonlyMap<string, Outcome>, version: number): Tally {
  const sum: Tally = {
    selected: 0,
    synced: 0,
    failed: 0,
    leaving: 0,
    serviceAccounts: { selected: 0, linked: 0 },
    failures: [],
    contended: [],
    overlaps: [],
  }
  const overlaps = new Map<string, Overlap>()
  for (const [namespace, outcome] of outcomes) {
    if (outcome.selected) sum.selected++
    else sum.leaving++
    if (outcome.failure) {
      sum.failed++
      sum.failures.push({ namespace, ...outcome.failure })
    } else if (outcome.selected && outcome.version === version) {
      sum.synced++
    }
    if (outcome.contended) sum.contended.push({ namespace, ...outcome.contended })
    sum.serviceAccounts.selected += outcome.serviceAccounts.selected
    sum.serviceAccounts.linked += outcome.serviceAccounts.linked
    for (const overlap of outcome.overlaps) overlaps.set(`${overlap.key} ${overlap.winner} ${overlap.loser}`, overlap)
  }
  sum.failures = sum.failures.sort(byNamespace).slice(0, maxFailures)
  sum.contended.sort(byNamespace)
  sum.overlaps = [...overlaps.values()]
  return sum
}

function byNamespace(a: { namespace: string }, b: { namespace: string }): number {
  return a.namespace < b.namespace ? -1 : 1
}
