/** Remembers what was written to which object, for the rules of model/contention.ts. Lost at a restart. */
import { afterWrite, isOver, peaceAfter, type Repairs, waitOf } from '../model/contention.ts'

export interface Contest {
  manager: string | undefined
  /** Milliseconds until the object may be written again, or, when it may, until there is peace. */
  nextMs: number
}

interface Remembered extends Repairs {
  /** It was told to wait when it was last asked about: that the wait is over by now does not mean that nothing is to do. */
  waits: boolean
}

export class Contention {
  readonly #now: () => number
  /** By object, the one that was written last at the end. */
  readonly #repairs = new Map<string, Remembered>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** False while the object has to wait for its next write. Another aim than before starts anew. */
  mayWrite(object: string, aim: string): boolean {
    const repairs = this.#repairs.get(object)
    if (repairs?.aim !== aim) {
      this.forget(object)
      return true
    }
    repairs.waits = waitOf(repairs, this.#now()) > 0
    return !repairs.waits
  }

  /** @param manager the other field manager that the object showed before */
  wrote(object: string, aim: string, manager: string | undefined): void {
    const now = this.#now()
    const repairs = afterWrite(this.#repairs.get(object), aim, manager, now)
    this.#repairs.delete(object)
    this.#repairs.set(object, { ...repairs, waits: true })
    for (const [oldest, past] of this.#repairs) {
      if (!isOver(past, now)) break
      this.#repairs.delete(oldest)
    }
  }

  /** Undefined when the object is not contended. */
  of(object: string): Contest | undefined {
    const repairs = this.#repairs.get(object)
    const now = this.#now()
    if (repairs === undefined || repairs.contended === 0 || isOver(repairs, now)) return undefined
    return { manager: repairs.manager, nextMs: repairs.waits ? waitOf(repairs, now) : peaceAfter(repairs, now) }
  }

  /** The object is gone, or is not wanted any more. */
  forget(object: string): void {
    this.#repairs.delete(object)
  }

  /** Objects remembered. */
  get size(): number {
    return this.#repairs.size
  }
}

/** Names an object for `Contention`. */
export function objectKey(kind: 'ServiceAccount' | 'Secret', namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`
}
