/** Checks the logins of a credential with their registries, once each. */
import type { Entries } from '../model/docker-config.ts'
import type { Verdict, Verification } from '../model/verification.ts'
import { check } from './check.ts'
import { type Question, questionsOf } from './questions.ts'
import type { Way } from './registry-client.ts'
import { unchecked } from './verification.ts'

const atOnce = 4
const atMost = 32
/** For how long a registry that gave no answer is not asked again, so that many credentials do not all wait for it. */
const pauseMs = 60_000
/** Milliseconds for all logins of one check; what has not been answered by then is Unknown. */
const deadlineMs = 120_000

const worstFirst: readonly Verdict[] = ['Invalid', 'NoPullAccess', 'Unknown', 'Valid']

const nothingToAsk: Verification = {
  verdict: 'Unknown',
  reason: 'NothingToAsk',
  message:
    'No entry names one registry, and a wildcard cannot be asked; name an image in verify.image to have it checked.',
}

export class Verifier {
  readonly #fetch: typeof fetch
  readonly #now: () => number
  readonly #longestMs: number
  /** By host[:port]: until when it is not asked, and why. */
  readonly #unreachable = new Map<string, { until: number; why: string }>()

  /** @param fetch with limits: that of http/outbound.ts @param now in ms of a clock that never goes back */
  constructor(fetch: typeof globalThis.fetch, now = () => performance.now(), longestMs = deadlineMs) {
    this.#fetch = fetch
    this.#now = now
    this.#longestMs = longestMs
  }

  /**
   * The worst that a registry says of an entry: Invalid before NoPullAccess, Unknown and Valid.
   * @param entries under canonical docker config keys; those that are the same login of the same registry are one
   * @param image what the entry that the kubelet would use for it must be able to pull; undefined: only whether logins
   *   are accepted is checked
   * @throws the reason of the signal, and nothing else
   */
  async verify(entries: Entries, image: string | undefined, signal: AbortSignal): Promise<Verification> {
    const { questions, problem } = questionsOf(entries, image)
    const asked = questions.slice(0, atMost)
    const deadline = AbortSignal.timeout(this.#longestMs)
    const way = { fetch: this.#fetch, signal: AbortSignal.any([signal, deadline]) }
    const results = await inTurns(asked, async (question) => {
      try {
        way.signal.throwIfAborted()
        return await this.#ask(question, way)
      } catch (error) {
        signal.throwIfAborted()
        if (!deadline.aborted) throw error
        return unchecked('DeadlineExceeded', question, `${question.host} and others before it took too long`)
      }
    })
    if (problem) results.push(problem)
    const [worst = nothingToAsk] = worstFirst.flatMap((verdict) =>
      results.filter((result) => result.verdict === verdict),
    )
    if (asked.length === questions.length) return worst
    return { ...worst, message: `${worst.message} ${asked.length} of ${questions.length} logins have been checked.` }
  }

  async #ask(question: Question, way: Way): Promise<Verification> {
    const { host } = question
    const known = this.#unreachable.get(host)
    if (known && known.until > this.#now()) return unchecked('RegistryUnreachable', question, known.why)
    this.#unreachable.delete(host)
    return await check(question, way, (why) => this.#unreachable.set(host, { until: this.#now() + pauseMs, why }))
  }
}

/** The results in the order of the items; `atOnce` of them are worked on at a time. */
async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  const worker = async () => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
