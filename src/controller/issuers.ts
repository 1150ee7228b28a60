/** How many may ask one issuer at the same time: 500 credentials that start together are no attack. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'

const atATime = 4

export class Issuers {
  /** Issuer → requests under way. */
  readonly #busy = new Map<string, number>()

  /** @returns gives the place back; undefined when none is free */
  enter(source: RegistryCredentialSource): (() => void) | undefined {
    const issuer = issuerOf(source)
    const busy = this.#busy.get(issuer) ?? 0
    if (busy >= atATime) return undefined
    this.#busy.set(issuer, busy + 1)
    return () => {
      const left = (this.#busy.get(issuer) ?? 1) - 1
      if (left > 0) this.#busy.set(issuer, left)
      else this.#busy.delete(issuer)
    }
  }
}

/** Who is asked, as far as the specification tells. */
function issuerOf(source: RegistryCredentialSource): string {
  const [[kind, spec] = ['', {}]] = Object.entries(source) as [string, Record<string, unknown>][]
  return JSON.stringify([kind, spec.url ?? spec.issuer ?? spec.registry ?? spec.plugin ?? ''])
}
