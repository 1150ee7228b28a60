/** What is known of every credential now, as the namespace loop and the status read it. Written by the credential loop. */
import { secretOf } from '../model/credential.ts'
import type { CredentialState } from '../model/desired.ts'
import type { ObservedSecret } from '../model/observed.ts'
import type { Problem } from '../model/outcome.ts'
import type { Material } from '../model/status.ts'
import type { Check } from '../model/verification.ts'

export interface CredentialRecord extends CredentialState {
  /** What is wrong with the credential itself; `terminal` when only a change by its owner can mend it. */
  problem: (Problem & { terminal: boolean }) | undefined
  /** Why the login could not be renewed, while the one in use is still good. */
  refreshFailure: Problem | undefined
  /** The source, or what is at it, is another than the login in use was had from. */
  isOutdated: boolean
  material: Material | undefined
  /** What the registry said last. */
  check: Check | undefined
}

export class CredentialStates {
  readonly #records = new Map<string, CredentialRecord>()
  readonly #ownNamespace: string
  #all: readonly CredentialRecord[] = []

  /** @param ownNamespace where the source Secrets are */
  constructor(ownNamespace: string) {
    this.#ownNamespace = ownNamespace
  }

  all(): readonly CredentialRecord[] {
    return this.#all
  }

  get(name: string): CredentialRecord | undefined {
    return this.#records.get(name)
  }

  set(record: CredentialRecord): void {
    this.#records.set(record.credential.name, record)
    this.#all = [...this.#records.values()]
  }

  delete(name: string): void {
    this.#records.delete(name)
    this.#all = [...this.#records.values()]
  }

  /**
   * True for a Secret that some credential is read from, and for one of the operator's namespace whose data others wrote:
   * its credential may be yet to come, or have gone.
   */
  mayBeSource({ namespace, name, dataIsOurs }: ObservedSecret): boolean {
    if (namespace !== this.#ownNamespace) return false
    return !dataIsOurs || this.#all.some(({ credential }) => secretOf(credential.source) === name)
  }
}
