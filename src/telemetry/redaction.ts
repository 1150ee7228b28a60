/**
 * Keeps credentials out of what is written: every secret that was registered, in every form it may take
 * (encodings.ts), and what looks like a credential (credential-patterns.ts).
 *
 * A secret that was rotated out is still redacted until newer ones have pushed it out of a fixed amount of memory. Add a
 * secret again whenever it is read: that keeps the ones in use among the newest.
 */
import { format, type Logform } from 'winston'
import { hasPattern, isCredentialKey, MARK, maskPatterns } from './credential-patterns.ts'
import { encodingsOf } from './encodings.ts'
import { type Needle, NeedleIndex, WINDOW } from './needle-index.ts'
import type { Plain } from './plain.ts'

/** Shorter values are not redacted: `test` as a password would blot out every "latest", and is no secret anyway. */
export const MIN_SECRET_LENGTH = WINDOW

/** Where winston keeps the finished line (`MESSAGE` of its triple-beam package). */
export const LINE = Symbol.for('message')

/** Characters kept for all forms of all secrets: enough for 20,000 passwords, or 850 tokens of two kilobytes. */
const CAPACITY = 16 * 1024 * 1024
/** What a form costs beside its characters. */
const NEEDLE_OVERHEAD = 100

export class Redactor {
  readonly #capacity: number
  readonly #index = new NeedleIndex()
  /** Secret → its forms, the one added longest ago first. */
  readonly #secrets = new Map<string, readonly Needle[]>()
  #used = 0

  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? CAPACITY
  }

  /** Registers secrets. White space around them does not count; those shorter than MIN_SECRET_LENGTH are ignored. */
  add(...secrets: readonly string[]): void {
    for (const secret of secrets) this.#addOne(secret.trim())
  }

  /** How many secrets are registered. */
  get size(): number {
    return this.#secrets.size
  }

  /** The text with every secret replaced. For messages of Events and conditions too. */
  redact(text: string): string {
    let result = ''
    let from = 0
    for (const [start, end] of this.#index.find(text)) {
      result += text.slice(from, start) + MARK
      from = end
    }
    return maskPatterns(result + text.slice(from))
  }

  /** The same for one line of JSON, which stays JSON: secrets are replaced in its strings, keys and numbers. */
  redactJson(line: string): string {
    if (this.#index.find(line).length === 0 && !hasPattern(line)) return line
    return JSON.stringify(this.#redactData(JSON.parse(line)))
  }

  /** A winston format to come last: redacts the finished line. */
  format(kind: 'json' | 'text'): Logform.Format {
    const redactLine = kind === 'json' ? this.redactJson.bind(this) : this.redact.bind(this)
    return format((info) => {
      info[LINE] = redactLine(String(info[LINE]))
      return info
    })()
  }

  #addOne(secret: string): void {
    if (secret.length < MIN_SECRET_LENGTH) return
    const known = this.#secrets.get(secret)
    const needles = known ?? needlesOf(secret)
    this.#secrets.delete(secret)
    this.#secrets.set(secret, needles) // last again: the newest
    if (known) return
    for (const needle of needles) this.#index.add(needle)
    this.#used += weightOf(needles)
    this.#evict(secret)
  }

  #evict(newest: string): void {
    for (const [secret, needles] of this.#secrets) {
      if (this.#used <= this.#capacity || secret === newest) return
      this.#secrets.delete(secret)
      for (const needle of needles) this.#index.delete(needle)
      this.#used -= weightOf(needles)
    }
  }

  #redactData(value: Plain): Plain {
    if (typeof value === 'string') return this.redact(value)
    if (typeof value === 'number') return this.redact(String(value)) === String(value) ? value : MARK
    if (Array.isArray(value)) return value.map((item) => this.#redactData(item))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, item]) => [
      this.redact(key),
      isCredentialKey(key) && item !== null ? MARK : this.#redactData(item),
    ])
    return Object.fromEntries(entries)
  }
}

function needlesOf(secret: string): Needle[] {
  const { text, base64 } = encodingsOf(secret)
  return [
    ...text.map((form) => ({ text: form, wholeRun: false })),
    ...base64.map((form) => ({ text: form, wholeRun: true })),
  ]
}

function weightOf(needles: readonly Needle[]): number {
  return needles.reduce((sum, { text }) => sum + text.length + NEEDLE_OVERHEAD, 0)
}
