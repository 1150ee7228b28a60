/**
 * When a login is to be had anew, and when it has ended. Times come from the issuer's clock, which may differ from ours
 * by `clockSkewMs`.
 */

/** Milliseconds by which clocks may differ: registries allow a minute (distribution `registry/auth/token`). */
export const clockSkewMs = 30_000
/** Milliseconds that lie at least between two refreshes, however short a login lives. */
const floorMs = 10_000
/** Refreshed at half of the life, or a tenth of it earlier, so that logins issued together are not renewed together. */
const half = 0.5
const jitter = 0.1

export interface Lifetime {
  issuedAt: Date
  /** Undefined where the issuer does not say. */
  expiresAt: Date | undefined
  /** After when to ask again, where the issuer says that. */
  refreshAfter: Date | undefined
  /** Milliseconds between refreshes of what does not say when it ends; undefined: never by the clock. */
  interval: number | undefined
}

/**
 * @param random from 0 up to 1
 * @returns undefined: it is not refreshed by the clock
 */
export function refreshTime(lifetime: Lifetime, random: number): Date | undefined {
  const { issuedAt, expiresAt, refreshAfter, interval } = lifetime
  const share = half - jitter * random
  if (refreshAfter) return refreshAfter > later(issuedAt, floorMs) ? refreshAfter : later(issuedAt, floorMs)
  if (expiresAt) return later(issuedAt, Math.max(floorMs, (expiresAt.getTime() - issuedAt.getTime()) * share))
  if (interval === undefined) return undefined
  return later(issuedAt, Math.max(floorMs, interval * (1 - jitter * random)))
}

/**
 * The same of a login that was kept by a run before, whose clock may have been wrong, and which somebody may have spoiled.
 * One from the future is had anew at once. The others wait no longer than if they were got now: to the middle of what is
 * left of them, or, where they do not say when they end, for the interval.
 * @param interval undefined: it comes from a source that is watched
 */
export function keptRefreshTime(
  { issuedAt, expiresAt, refreshAt }: Pick<Lifetime, 'issuedAt' | 'expiresAt'> & { refreshAt: Date | undefined },
  interval: number | undefined,
  now: Date,
): Date | undefined {
  if (interval === undefined) return refreshAt
  if (issuedAt > later(now, clockSkewMs)) return now
  const latest = expiresAt ? later(now, (expiresAt.getTime() - now.getTime()) * half) : later(now, interval)
  return refreshAt && refreshAt < latest ? refreshAt : latest
}

/** Milliseconds since the epoch at which it has ended beyond any doubt about clocks. */
export function endOf(expiresAt: Date): number {
  return expiresAt.getTime() + clockSkewMs
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms)
}
