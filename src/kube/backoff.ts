/** Exponential back-off with jitter, so that many clients of one failing server do not come back in step. */

/**
 * Milliseconds to wait after the n-th failure in a row (`failures` ≥ 1): `firstMs`, doubled each time, at most `maxMs`,
 * ±20 %.
 */
export function backoff(failures: number, firstMs: number, maxMs: number): number {
  const delay = Math.min(firstMs * 2 ** (failures - 1), maxMs)
  return delay * (0.8 + 0.4 * Math.random())
}

/** Milliseconds that the server asks to be left alone (`retryAfterSeconds` of the error), and up to 20 % more; else 0. */
export function askedWait(error: unknown): number {
  const seconds = (error as { retryAfterSeconds?: unknown } | undefined)?.retryAfterSeconds
  return typeof seconds === 'number' ? seconds * 1000 * (1 + 0.2 * Math.random()) : 0
}
