/**
 * Which leases of Vault a credential has had. A handle has the end of each in seconds since the epoch under its id, and
 * under `current` the id of its own; ids are paths, so that none is called that.
 */
import type { Handle } from '../model/login.ts'

/** So that a handle stays small when many logins are asked for and none is rolled out. The oldest end by themselves. */
const maxLeases = 64

/** @param previous of the login before, whose leases may still be in use @param now in ms since the epoch */
export function leaseHandle(id: string, end: Date, previous: Handle | undefined, now: number): Handle {
  const earlier = livingIn(previous, now).slice(1 - maxLeases)
  return { ...Object.fromEntries(earlier), [id]: Math.ceil(end.getTime() / 1_000), current: id }
}

/** Ids of all that has not ended yet but is not that of `keep`. @param now in ms since the epoch */
export function leasesToEnd(last: Handle | undefined, keep: Handle | undefined, now: number): string[] {
  const known = new Map([...livingIn(keep, now), ...livingIn(last, now)])
  return [...known.keys()].filter((id) => id !== keep?.current)
}

function livingIn(handle: Handle | undefined, now: number): [string, number][] {
  return Object.entries(handle ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] * 1_000 > now,
  )
}
