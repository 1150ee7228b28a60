/** Randomness that a test can have again: the same seed gives the same numbers. */

/** From `SEED` where it is set, to repeat a run; else another one each time. Tests print it. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000)

/** Numbers from 0 up to 1 (mulberry32, by Tommy Ettinger, public domain). @param name whatever else must have other numbers */
export function randomOf(name: string): () => number {
  let state = seed
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
