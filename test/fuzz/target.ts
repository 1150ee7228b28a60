/** One thing that is fed with cases. */
import type { Random } from '../support/random.ts'

export interface Target {
  /** Makes a case; with `canary` where a secret would stand. */
  make(random: Random): Buffer
  /** Reads it as the operator would. @returns what is wrong with what was made of it, if anything */
  read(bytes: Buffer): string | undefined
  /** What it may throw. */
  declared: readonly (new (
    ...args: never[]
  ) => Error)[]
}
