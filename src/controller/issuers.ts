/** How many may ask one issuer at the same time: 500 credentials that start together are no attack. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import { NotNow } from '../kube/work-queue.ts'
import { isWatched } from '../model/credential.ts'

const atATime = 4
/** Milliseconds until one that found its issuer busy tries again, and what is added at random. */
const busyMs = 200

export class Issuers {
  /** Issuer → requests under way. */
  readonly #busy = new Map<string, number>()

  /**
   * Asks when a place is free; what is watched is no issuer, and has always one.
   * @returns when to come again, where none is
   */
  async ask(source: RegistryCredentialSource, work: () => Promise<void>): Promise<NotNow | undefined> {
    const issuer = isWatched(source) ? undefined : issuerOf(source)
    if (issuer !== undefined && !this.#enter(issuer)) return new NotNow(busyMs * (1 + 2 * Math.random()))
    try {
      await work()
      return undefined
    } finally {
      if (issuer !== undefined) this.#leave(issuer)
    }
  }

  #enter(issuer: string): boolean {
    const busy = this.#busy.get(issuer) ?? 0
    if (busy >= atATime) return false
    this.#busy.set(issuer, busy + 1)
    return true
  }

  #leave(issuer: string): void {
    const left = (this.#busy.get(issuer) ?? 1) - 1
    if (left > 0) this.#busy.set(issuer, left)
    else this.#busy.delete(issuer)
  }
}

/** Who is asked, as far as the specification tells. */
function issuerOf(source: RegistryCredentialSource): string {
  const [[kind, spec] = ['', {}]] = Object.entries(source) as [string, Record<string, unknown>][]
  return JSON.stringify([kind, spec.url ?? spec.issuer ?? spec.registry ?? spec.plugin ?? ''])
}
