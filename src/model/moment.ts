/**
 * Two clocks. The wall clock is what issuers and other runs share with us, and may be wrong, be set, or go on while the
 * machine sleeps. The steady one measures what has passed in this process, and stands still while the machine sleeps.
 */

export interface Moment {
  wall: Date
  /** Begins with the process at what the wall clock said then; of no meaning to another process. */
  steady: Date
}

/** Milliseconds by which the clocks may drift apart between two looks without that being a jump. */
const jumpMs = 5_000
/** Milliseconds over which looks at logins that are still good are spread after a jump. */
const spreadMs = 5 * 60_000

/** The time by whichever clock says that more has passed since a moment. */
export function latest(now: Moment, since: Moment): Date {
  return new Date(Math.max(now.wall.getTime(), now.steady.getTime() + aheadOf(since)))
}

/** Milliseconds by which the wall clock was set, or the machine slept, in between; 0: it has not jumped. */
export function jumpBetween(before: Moment, now: Moment): number {
  const jump = aheadOf(now) - aheadOf(before)
  return Math.abs(jump) > jumpMs ? jump : 0
}

/**
 * Milliseconds after which a login is looked at when the clock has jumped: what has ended is taken out at once, and
 * renewing the others, which may all have become due, is spread, but never over more than half of what is left of them.
 * @param endMs milliseconds until it ends; negative: it has ended
 * @param random from 0 up to 1
 */
export function lookAfter(endMs: number, random: number): number {
  return random * Math.min(spreadMs, Math.max(0, endMs / 2))
}

/** Milliseconds by which the wall clock is ahead of the steady one. */
function aheadOf({ wall, steady }: Moment): number {
  return wall.getTime() - steady.getTime()
}
