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

/** Not of any credential: what it stands for counts as not yet synced. */
export const noVersion = -1
export const noLinks: Outcome['serviceAccounts'] = Object.freeze({ selected: 0, linked: 0 })
export const noOverlaps: Outcome['overlaps'] = Object.freeze([])

const nothingYet = { version: noVersion, replaced: noVersion, failure: undefined, contended: undefined }
const pendingHere: Outcome = { ...nothingYet, selected: true, serviceAccounts: noLinks, overlaps: noOverlaps }
const pendingRemoval: Outcome = { ...pendingHere, selected: false }

/** Of a namespace that has come to concern a credential, before the namespace loop has been there. */
export function pending(selected: boolean): Outcome {
  return selected ? pendingHere : pendingRemoval
}

/** Whether two say the same. */
export function isSame(a: Outcome, b: Outcome): boolean {
  return (
    a.version === b.version &&
    a.replaced === b.replaced &&
    a.selected === b.selected &&
    a.failure?.reason === b.failure?.reason &&
    a.failure?.message === b.failure?.message &&
    a.contended?.kind === b.contended?.kind &&
    a.contended?.name === b.contended?.name &&
    a.contended?.manager === b.contended?.manager &&
    a.serviceAccounts.selected === b.serviceAccounts.selected &&
    a.serviceAccounts.linked === b.serviceAccounts.linked &&
    sameOverlaps(a.overlaps, b.overlaps)
  )
}

function sameOverlaps(a: readonly Overlap[], b: readonly Overlap[]): boolean {
  if (a === b) return true // of one payload, be they many
  return a.length === b.length && a.every((overlap, index) => keyOf(overlap) === keyOf(b[index]))
}

export interface Problem {
  /** CamelCase, for conditions, Events and `status.failures`. */
  reason: string
  /** A sentence for people; never holds secret data. */
  message: string
}

/** Each namespace is in one of them. */
export type NamespaceState = 'synced' | 'pending' | 'failed' | 'leaving'

/** @param version outcomes of older versions count as not yet synced */
function stateOf({ failure, selected, version: at }: Outcome, version: number): NamespaceState {
  if (failure) return 'failed'
  if (!selected) return 'leaving'
  return at === version ? 'synced' : 'pending'
}

export interface Counts {
  namespaces: Record<NamespaceState, number>
  /** Of them, in whatever state, those where somebody keeps undoing what is written. */
  contended: number
}

/** The numbers alone of what `tally` tells, at each scrape of many. @param version as there */
export function countsOf(outcomes: Iterable<Outcome>, version: number): Counts {
  const namespaces = { synced: 0, pending: 0, failed: 0, leaving: 0 }
  let contended = 0
  for (const outcome of outcomes) {
    namespaces[stateOf(outcome, version)]++
    if (outcome.contended) contended++
  }
  return { namespaces, contended }
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
  const overlaps = new Set<readonly Overlap[]>() // those of one payload are one list in all its namespaces
  for (const [namespace, outcome] of outcomes) {
    if (outcome.selected) sum.selected++
    else sum.leaving++
    if (outcome.failure) {
      sum.failed++
      sum.failures.push({ namespace, ...outcome.failure })
    } else if (stateOf(outcome, version) === 'synced') {
      sum.synced++
    }
    if (outcome.contended) sum.contended.push({ namespace, ...outcome.contended })
    sum.serviceAccounts.selected += outcome.serviceAccounts.selected
    sum.serviceAccounts.linked += outcome.serviceAccounts.linked
    overlaps.add(outcome.overlaps)
  }
  sum.failures = sum.failures.sort(byNamespace).slice(0, maxFailures)
  sum.contended.sort(byNamespace)
  sum.overlaps = [...new Map([...overlaps].flat().map((overlap) => [keyOf(overlap), overlap])).values()]
  return sum
}

function keyOf(overlap: Overlap | undefined): string {
  return `${overlap?.key} ${overlap?.winner} ${overlap?.loser}`
}

function byNamespace(a: { namespace: string }, b: { namespace: string }): number {
  return a.namespace < b.namespace ? -1 : 1
}
