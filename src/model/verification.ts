/** What a registry said of a login. */
import type { Moment } from './moment.ts'

/**
 * Invalid: the login is refused. NoPullAccess: it is accepted, but may not pull the image. Unknown: the registry cannot
 * be asked or does not say; never a reason to hold a login back.
 */
export type Verdict = 'Valid' | 'Invalid' | 'NoPullAccess' | 'Unknown'

export interface Verification {
  verdict: Verdict
  /** CamelCase, for a condition. */
  reason: string
  /** A sentence for people; never holds secret data. */
  message: string
}

/** A verification, when it was made and when the next is due. */
export interface Check extends Verification {
  at: Date
  /** By the steady clock: what is the matter with the wall clock is no reason to ask a registry. */
  nextAt: Date
  /** The image it was about; '' for none. */
  image: string
}

const minute = 60_000
/** Milliseconds until a registry is asked again: slowly when all is well. */
const intervals: Readonly<Record<Verdict, number>> = {
  Valid: 360 * minute,
  Invalid: 10 * minute,
  NoPullAccess: 10 * minute,
  Unknown: 10 * minute,
}
/** Less by up to this share, so that logins checked together are not checked together again. */
const jitter = 0.2

/** @param random from 0 up to 1 */
export function checked(
  verification: Verification,
  image: string | undefined,
  { wall, steady }: Moment,
  random: number,
): Check {
  const nextAt = new Date(steady.getTime() + intervals[verification.verdict] * (1 - jitter * random))
  return { ...verification, at: wall, nextAt, image: image ?? '' }
}

/** What a run before has kept, whose clocks may have been others: the next one is due when it would be after one now. */
export function keptCheck(check: Check, { wall, steady }: Moment): Check {
  const waitMs = Math.min(check.nextAt.getTime() - wall.getTime(), intervals[check.verdict])
  return { ...check, nextAt: new Date(steady.getTime() + waitMs) }
}

export function isCheckDue(check: Check | undefined, image: string | undefined, { steady }: Moment): boolean {
  return check === undefined || check.image !== (image ?? '') || check.nextAt <= steady
}

export function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'string' && Object.hasOwn(intervals, value)
}

/** A clear no. Everything else never turns a good login bad. */
export function isRefusal({ verdict }: Verification): boolean {
  return verdict === 'Invalid' || verdict === 'NoPullAccess'
}
