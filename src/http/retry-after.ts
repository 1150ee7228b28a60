/** How long a server asks to be left alone (RFC 9110, 10.2.3). */

/** No server is believed for longer. */
export const longestSeconds = 3_600

/**
 * @param now in ms since the epoch, for the form with a date
 * @returns whole seconds, from 0 to an hour; undefined when there is no such header or it cannot be read
 */
export function retryAfterSeconds(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1_000)
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), longestSeconds)
}
