/**
 * Bounded effort against whoever undoes what the operator writes. Two writes to one object with the same aim mean that
 * somebody undid the first: the second is a repair. Six repairs within ten minutes make the object contended; from then
 * on the next one waits 5 s, and each time twice as long, up to 5 minutes, for ever. Ten minutes after the last repair
 * there is peace again. At most 13 writes with one aim fall into any ten minutes.
 *
 * What the operator itself wants changed (a rotation, another selection, a removal) is another aim and starts anew. Times
 * are milliseconds of one clock that never goes back.
 */

/** The writes to one object that all had the same aim. */
export interface Repairs {
  /** What the operator wanted the object to be. */
  aim: string
  /** Of the last write. */
  at: number
  /** Times of the last repairs, oldest first; no more than it takes. */
  recent: readonly number[]
  /** Repairs since the object is contended, with the one that made it so; 0: it is not. */
  contended: number
  /** The field manager that last was seen to have undone a write, where managedFields show one. */
  manager: string | undefined
}

const windowMs = 10 * 60_000
/** Repairs within the window that make an object contended. */
const tooMany = 6
const firstWaitMs = 5_000
const maxWaitMs = 5 * 60_000

const none: readonly never[] = Object.freeze([])

/** @param manager the other field manager that the object showed before this write */
export function afterWrite(
  before: Repairs | undefined,
  aim: string,
  manager: string | undefined,
  now: number,
): Repairs {
  if (before === undefined || before.aim !== aim || isOver(before, now)) {
    return { aim, at: now, recent: none, contended: 0, manager: undefined } // what it showed is not about a write of ours
  }
  const recent = [...before.recent, now].slice(-tooMany)
  const begins = recent.length === tooMany && now - (recent[0] ?? 0) < windowMs
  const contended = begins || before.contended > 0 ? before.contended + 1 : 0
  return { aim, at: now, recent, contended, manager: manager ?? before.manager }
}

/** Nothing that is written from now on is a repair of it. */
export function isOver({ at }: Repairs, now: number): boolean {
  return now - at >= windowMs
}

/** Milliseconds until the object may be written again; 0: at once. */
export function waitOf({ at, contended }: Repairs, now: number): number {
  if (contended === 0) return 0
  return Math.max(0, at + Math.min(firstWaitMs * 2 ** (contended - 1), maxWaitMs) - now)
}

/** Milliseconds until there is peace. */
export function peaceAfter({ at }: Repairs, now: number): number {
  return Math.max(0, at + windowMs - now)
}
