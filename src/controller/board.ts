/**
 * What came of every credential in every namespace it concerns. The namespace loop reports here; the credential loop
 * and the status read here. An entry exists from when a namespace starts to concern a credential until the credential
 * has been taken out of it again, so a credential without entries has left nothing behind.
 */
import { type Counts, countsOf, isSame, type Outcome, pending, type Tally, tally } from '../model/outcome.ts'

/** Outcomes of one credential that are looked through for one that says the same. */
const maxRecent = 4

export class Board {
  readonly #outcomes = new Map<string, Map<string, Outcome>>()
  /** Credential → what it met lately. Most namespaces fare alike, and what came of them is one object. */
  readonly #recent = new Map<string, readonly Outcome[]>()
  readonly #changed: (credential: string) => void

  /** @param changed called with the credential whose outcomes have changed */
  constructor(changed: (credential: string) => void) {
    this.#changed = changed
  }

  /** A namespace has come to concern a credential; keeps an outcome that is already there. */
  expect(credential: string, namespace: string, selected: boolean): void {
    if (!this.has(credential, namespace)) this.#of(credential).set(namespace, pending(selected))
  }

  /** @param outcome undefined: nothing of the credential is left there */
  report(credential: string, namespace: string, outcome: Outcome | undefined): void {
    const before = this.outcomeOf(credential, namespace)
    // Of many credentials in one Secret most have no part in a change of it.
    if (before === outcome || (before && outcome && isSame(before, outcome))) return
    if (outcome) this.#of(credential).set(namespace, this.#shared(credential, outcome))
    else this.#outcomes.get(credential)?.delete(namespace)
    this.#changed(credential)
  }

  /** The namespace is gone, and with it all that was in it. */
  forgetNamespace(namespace: string): void {
    for (const [credential, outcomes] of this.#outcomes) {
      if (outcomes.delete(namespace)) this.#changed(credential)
    }
  }

  forgetCredential(credential: string): void {
    this.#outcomes.delete(credential)
    this.#recent.delete(credential)
  }

  has(credential: string, namespace: string): boolean {
    return this.#outcomes.get(credential)?.has(namespace) ?? false
  }

  outcomeOf(credential: string, namespace: string): Outcome | undefined {
    return this.#outcomes.get(credential)?.get(namespace)
  }

  namespacesOf(credential: string): string[] {
    return [...(this.#outcomes.get(credential)?.keys() ?? [])]
  }

  /** How many namespaces are in which state. */
  countsOf(credential: string, version: number): Counts {
    return countsOf(this.#outcomes.get(credential)?.values() ?? [], version)
  }

  tally(credential: string, version: number): Tally {
    return tally(this.#outcomes.get(credential) ?? new Map(), version)
  }

  /** Whether no Secret of ours holds an older login of it any more, wherever it is. */
  isReplaced(credential: string, version: number): boolean {
    const outcomes = this.#outcomes.get(credential)?.values() ?? []
    return [...outcomes].every(({ replaced }) => replaced === version)
  }

  #shared(credential: string, outcome: Outcome): Outcome {
    const recent = this.#recent.get(credential) ?? []
    const shared = recent.find((each) => isSame(each, outcome))
    if (shared) return shared
    this.#recent.set(credential, [outcome, ...recent].slice(0, maxRecent))
    return outcome
  }

  #of(credential: string): Map<string, Outcome> {
    const outcomes = this.#outcomes.get(credential) ?? new Map<string, Outcome>()
    this.#outcomes.set(credential, outcomes)
    return outcomes
  }
}
