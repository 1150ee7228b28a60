/**
 * How many namespaces are worked on at a time: as many as are allowed, and fewer while the API server says that it is too
 * much (429, API Priority and Fairness). It goes by what came of the requests, as TCP does by its packets: half as many
 * after a 429, one more after each round of successes.
 */

/** Milliseconds in which all that were refused together count as one: they began at the same pace. */
const roundMs = 1_000

export class Pace {
  readonly #most: number
  readonly #now: () => number
  #limit: number
  #loweredAt = Number.NEGATIVE_INFINITY

  /**
   * @param most at least 1
   * @param now milliseconds of a clock that never goes back
   */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most
    this.#limit = most
    this.#now = now
  }

  /** Whole, from 1 to the most. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** A request was answered. */
  saw(code: number | undefined): void {
    if (code === 429) this.#lower()
    else if (code !== undefined && code < 500) this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit)
  }

  #lower(): void {
    const now = this.#now()
    if (now - this.#loweredAt < roundMs) return
    this.#loweredAt = now
    this.#limit = Math.max(1, this.#limit / 2)
  }
}
