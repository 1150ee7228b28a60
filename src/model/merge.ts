/**
 * Several credentials in one Secret. Where two give the same docker config key, the higher priority wins, then the name
 * that sorts first: an order that follows from the manifests alone and survives their being created again.
 */
import type { Entries, Entry } from './docker-config.ts'

export interface Contribution {
  credential: string
  priority: number
  entries: Entries
}

/** One docker config key that two credentials give to the same Secret. */
export interface Overlap {
  key: string
  winner: string
  loser: string
}

export function merge(contributions: readonly Contribution[]): { entries: Entries; overlaps: Overlap[] } {
  const entries = new Map<string, Entry>()
  const winners = new Map<string, string>()
  const overlaps: Overlap[] = []
  for (const { credential, entries: own } of [...contributions].sort(byPrecedence)) {
    for (const [key, entry] of own) {
      const winner = winners.get(key)
      if (winner === undefined) {
        winners.set(key, credential)
        entries.set(key, entry)
      } else {
        overlaps.push({ key, winner, loser: credential })
      }
    }
  }
  return { entries, overlaps }
}

function byPrecedence(a: Contribution, b: Contribution): number {
  return b.priority - a.priority || (a.credential < b.credential ? -1 : 1)
}
