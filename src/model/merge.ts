/**
 * Several credentials in one Secret. Where two give the same docker config key, the higher priority wins, then the name
 * that sorts first: an order that follows from the manifests alone and survives their being created again.
 */
import { bytesOf, type Entries, type Entry } from './docker-config.ts'

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

/** Bytes between two entries. */
const comma = 1

export interface Merged {
  entries: Entries
  overlaps: Overlap[]
  /** Credentials of which nothing is in `entries`, since with them the Secret would be too large. */
  leftOut: ReadonlySet<string>
}

/** @param maxBytes what the docker config of the entries may measure; those who come last in the order are left out */
export function merge(contributions: readonly Contribution[], maxBytes: number): Merged {
  const entries = new Map<string, Entry>()
  const winners = new Map<string, string>()
  const overlaps: Overlap[] = []
  const leftOut = new Set<string>()
  const empty = bytesOf(new Map())
  let room = maxBytes - empty + comma // the first entry has none before it
  for (const { credential, entries: own } of [...contributions].sort(byPrecedence)) {
    const added = new Map([...own].filter(([key]) => !winners.has(key)))
    const bytes = added.size > 0 ? bytesOf(added) - empty + comma : 0
    if (bytes > room) {
      leftOut.add(credential)
      continue
    }
    room -= bytes
    for (const key of own.keys()) {
      const winner = winners.get(key)
      if (winner !== undefined) overlaps.push({ key, winner, loser: credential })
    }
    for (const [key, entry] of added) {
      winners.set(key, credential)
      entries.set(key, entry)
    }
  }
  return { entries, overlaps, leftOut }
}

function byPrecedence(a: Contribution, b: Contribution): number {
  return b.priority - a.priority || (a.credential < b.credential ? -1 : 1)
}
