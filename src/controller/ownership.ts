/**
 * Which Secrets are ours. A mark that verifies proves it, for as long as this object lives: who strips or alters it while
 * the operator looks on does not make the Secret theirs. Without such a proof (the operator's key was lost) any mark of
 * ours will do where nobody else has written the data since. To forge that, one has to want one's own Secret overwritten.
 */
import type { ObservedSecret, RecognizedSecret } from '../model/observed.ts'
import { isMarked } from '../model/secret-change.ts'
import { claimsOf, type Marks } from './marks.ts'

export class Ownership {
  readonly #marks: Marks
  /** Uid of a Secret → what its last verified mark said that it was made of. */
  readonly #proven = new Map<string, readonly string[]>()
  /** Every state of a Secret that a watch brings is looked at once. */
  readonly #recognized = new WeakMap<ObservedSecret, RecognizedSecret>()

  constructor(marks: Marks) {
    this.#marks = marks
  }

  recognize(secret: ObservedSecret): RecognizedSecret {
    const known = this.#recognized.get(secret)
    if (known) return known
    const recognized = this.#look(secret)
    this.#recognized.set(secret, recognized)
    return recognized
  }

  /** It is gone, or about to be deleted or released. */
  forget(uid: string): void {
    this.#proven.delete(uid)
  }

  #look(secret: ObservedSecret): RecognizedSecret {
    const proof = this.#marks.provenOf(secret)
    if (proof) this.#proven.set(secret.uid, proof)
    const madeOf = proof ?? this.#proven.get(secret.uid)
    if (madeOf) return { ...secret, ours: true, madeOf, proven: true }
    const claims = [...claimsOf(secret), ...secret.owners.map(({ uid }) => uid)]
    return { ...secret, ours: secret.dataIsOurs && isMarked(secret), madeOf: claims, proven: false }
  }
}
