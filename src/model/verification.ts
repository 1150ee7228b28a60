/** What a registry said of a login. */

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
export function checked(verification: Verification, image: string | undefined, at: Date, random: number): Check {
  const nextAt = new Date(at.getTime() + intervals[verification.verdict] * (1 - jitter * random))
  return { ...verification, at, nextAt, image: image ?? '' }
}

export function isCheckDue(check: Check | undefined, image: string | undefined, now: Date): boolean {
  return check === undefined || check.image !== (image ?? '') || check.nextAt <= now
}

/** A clear no. Everything else never turns a good login bad. */
export function isRefusal({ verdict }: Verification): boolean {
  return verdict === 'Invalid' || verdict === 'NoPullAccess'
}
