/** Randomness that a test can have again: the same seed gives the same numbers. */

/** From `SEED` where it is set, to repeat a run; else another one each time, so that every run sees other cases. Tests print it. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000)

/** Numbers that look like chance and hang on a seed alone. */
export class Random {
  #state: number

  /** @param seed 32 bits */
  constructor(seed: number) {
    this.#state = seed | 0
    // Seeds that stand side by side are to give cases that have nothing in common.
    for (let i = 0; i < 3; i++) this.#next()
  }

  /** For one of several uses of the seed of the run, so that each has other numbers. */
  static of(use: string): Random {
    let mixed = seed
    for (const letter of use) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193)
    return new Random(mixed)
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.#next() / 2 ** 32
  }

  /** Whole, from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0]
  }

  /** @param alphabet of single UTF-16 units */
  text(length: number, alphabet: string): string {
    let text = ''
    while (text.length < length) text += alphabet[this.below(alphabet.length)]
    return text
  }

  /** splitmix32 */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let mixed = this.#state ^ (this.#state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}
