/**
 * Which of two resourceVersions of the same resource type is newer.
 *
 * KEP-5504 makes them comparable: decimal numbers without leading zeros and without an upper bound. Length first, then
 * digits, is exact for any size and needs no BigInt.
 */

/** Negative when `a` is older than `b`, 0 when equal, positive when newer. '' is older than everything. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
