/**
 * Finds any of thousands of strings in a text in one pass, whose cost does not depend on how many there are: every needle
 * is filed under a hash of its first characters, and a rolling hash (Rabin-Karp) walks over the text. A table of counters
 * answers "nothing here" for almost every position before the map is asked.
 * Not a regular expression (V8 tries every alternative at every position), not Aho-Corasick (one node for each character
 * of every needle, and tokens have thousands).
 */

export interface Needle {
  readonly text: string
  /** Take the whole run of base64 characters around the match, not the match alone. */
  readonly wholeRun: boolean
}

/** From the first character to the one after the last. */
export type Range = readonly [start: number, end: number]

/** Length of the hashed beginning, and with it the shortest possible needle, in UTF-16 units. */
export const WINDOW = 6

const BASE = 0x01000193
const SLOT_BITS = 16
let leading = 1 // BASE^(WINDOW-1): the weight of the character that leaves the window
for (let i = 1; i < WINDOW; i++) leading = Math.imul(leading, BASE)
const LEADING = leading

export class NeedleIndex {
  readonly #buckets = new Map<number, Set<Needle>>()
  readonly #filled = new Uint32Array(1 << SLOT_BITS)

  /** Needles shorter than WINDOW are not allowed. */
  add(needle: Needle): void {
    const hash = hashOf(needle.text)
    const bucket = this.#buckets.get(hash)
    if (bucket) bucket.add(needle)
    else this.#buckets.set(hash, new Set([needle]))
    this.#count(hash, 1)
  }

  /** Takes out a needle that was added, by identity. */
  delete(needle: Needle): void {
    const hash = hashOf(needle.text)
    const bucket = this.#buckets.get(hash)
    if (!bucket?.delete(needle)) return
    if (bucket.size === 0) this.#buckets.delete(hash)
    this.#count(hash, -1)
  }

  /** All places where a needle stands, sorted and without overlaps. */
  find(text: string): Range[] {
    const last = text.length - WINDOW
    if (last < 0 || this.#buckets.size === 0) return []
    const found: Range[] = []
    let runEnd = 0 // where the last run of base64 ends: walking it again for each match in it would take quadratic time
    let hash = hashOf(text)
    for (let at = 0; ; at++) {
      if (this.#filled[slotOf(hash)] !== 0) {
        for (const { text: needle, wholeRun } of this.#buckets.get(hash) ?? []) {
          if (!text.startsWith(needle, at) || (wholeRun && at < runEnd)) continue
          const range: Range = wholeRun ? runAround(text, at, at + needle.length) : [at, at + needle.length]
          if (wholeRun) runEnd = range[1]
          found.push(range)
        }
      }
      if (at === last) break
      const rest = hash - Math.imul(text.charCodeAt(at), LEADING)
      hash = (Math.imul(rest, BASE) + text.charCodeAt(at + WINDOW)) | 0
    }
    return merge(found)
  }

  #count(hash: number, step: 1 | -1): void {
    const slot = slotOf(hash)
    this.#filled[slot] = (this.#filled[slot] ?? 0) + step
  }
}

function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < WINDOW; i++) hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0
  return hash
}

function slotOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> (32 - SLOT_BITS)
}

function runAround(text: string, start: number, end: number): Range {
  while (start > 0 && isBase64(text.charCodeAt(start - 1))) start--
  while (end < text.length && isBase64(text.charCodeAt(end))) end++
  while (text[end] === '=') end++
  return [start, end]
}

/** Standard and URL-safe alphabet, without the padding. */
function isBase64(code: number): boolean {
  const letter = code | 0x20
  if (letter >= 97 && letter <= 122) return true
  return (code >= 47 && code <= 57) || code === 43 || code === 45 || code === 95 // / 0-9 + - _
}

function merge(ranges: Range[]): Range[] {
  if (ranges.length < 2) return ranges
  const merged: [number, number][] = []
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1)
    if (previous && start <= previous[1]) previous[1] = Math.max(previous[1], end)
    else merged.push([start, end])
  }
  return merged
}
