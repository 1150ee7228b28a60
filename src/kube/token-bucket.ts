/** Rate limits per key: a burst, then one every so often. Keys that are full again are forgotten. */

interface Bucket {
  tokens: number
  /** Of `tokens`, in ms of performance.now(). */
  at: number
}

export class TokenBuckets {
  readonly #burst: number
  readonly #refillMs: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(burst: number, refillMs: number) {
    this.#burst = burst
    this.#refillMs = refillMs
  }

  /** @returns false when the key has used up its share */
  take(key: string): boolean {
    const now = performance.now()
    const bucket = this.#buckets.get(key)
    const tokens = bucket === undefined ? this.#burst : this.#tokensAt(bucket, now)
    if (tokens < 1) return false
    this.#buckets.set(key, { tokens: tokens - 1, at: now })
    return true
  }

  /** Forgets the keys that are as good as new. */
  prune(): void {
    const now = performance.now()
    for (const [key, bucket] of this.#buckets) {
      if (this.#tokensAt(bucket, now) >= this.#burst) this.#buckets.delete(key)
    }
  }

  #tokensAt({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#burst, tokens + (now - at) / this.#refillMs)
  }
}
