/** Waiting for a condition, instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from './errors.ts'

export interface EventuallyOptions {
  /** Default 60 s: generous, as it only costs time when a test fails. */
  timeoutMs?: number
  /** What is waited for, for the error. */
  describe?: string
}

/** Thrown by what is waited for: it will never be satisfied, and waiting ends. */
export class Hopeless extends Error {}

type NotYet = null | false | 0 | ''

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * Calls `fn` until it is satisfied: a function that returns nothing, when it no
 * longer throws (so it may hold assertions); one that returns a value, when the
 * value is truthy, which is then the result. After the deadline it throws, with
 * the last error as cause.
 *
 * A value that may be `undefined` is refused by the types, as it cannot be told
 * from "returns nothing": write `list.find(…) ?? null`.
 */
export function eventually(fn: () => void | Promise<void>, options?: EventuallyOptions): Promise<void>
export function eventually<T extends NonNullable<unknown> | null>(
  fn: () => T | Promise<T>,
  options?: EventuallyOptions,
): Promise<Exclude<T, NotYet>>
export async function eventually(
  fn: () => unknown,
  { timeoutMs = 60_000, describe = 'the condition' }: EventuallyOptions = {},
): Promise<unknown> {
  const deadline = Date.now() + timeoutMs
  let pause = FIRST_PAUSE_MS
  for (;;) {
    let last: unknown
    try {
      const value = await fn()
      if (value === undefined || value) return value
      last = new Error(`last value: ${JSON.stringify(value)}`)
    } catch (error) {
      if (error instanceof Hopeless) throw error
      last = error
    }
    if (Date.now() > deadline) {
      throw new Error(`${describe}: not within ${timeoutMs / 1000} s. ${messageOf(last)}`, { cause: last })
    }
    await sleep(pause)
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)
  }
}
