/**
 * Whether the API server does its work, told from its answers: for `/readyz?verbose`, within seconds. It is a note and no
 * failure, since a Deployment is not to be rolled back, nor a standby to take over, when a control plane is away for a
 * minute. Reads and writes are told apart: an etcd without space takes no writes, and still answers all reads.
 */
import type { Check } from './checks.ts'

/** Who fails tries again within this; what failed longer ago, and was not asked since, says nothing any more. */
const freshMs = 60_000

interface Failing {
  since: number
  last: number
  /** 500; undefined: there was no answer. */
  code: number | undefined
}

export class ApiAnswers {
  readonly #failing = new Map<'reads' | 'writes', Failing>()

  /** @param code undefined: there was no answer */
  saw(method: string, code: number | undefined): void {
    const kind = method === 'GET' ? 'reads' : 'writes'
    const isWell = code !== undefined && code < 500 && code !== 429
    const now = performance.now()
    const before = this.#failing.get(kind)
    const goesOn = before && now - before.last <= freshMs // a follower, for one, writes nothing for hours
    if (isWell) this.#failing.delete(kind)
    else this.#failing.set(kind, { since: goesOn ? before.since : now, last: now, code })
  }

  readonly check: Check = {
    name: 'api-server',
    check: () => undefined,
    note: () => {
      const now = performance.now()
      const notes = [...this.#failing].flatMap(([kind, { since, last, code }]) => {
        const why = code === undefined ? 'no answer' : `${code}`
        return now - last > freshMs ? [] : `${kind} have failed for ${Math.round((now - since) / 1000)} s (${why})`
      })
      return notes.length > 0 ? notes.join('; ') : undefined
    },
  }
}
