/**
 * Which Secrets are ours. A mark that verifies proves it, for as long as this object lives: who strips or alters it while
 * the operator looks on does not make the Secret theirs. Without such a proof (the operator's key was lost) any mark of
 * ours will do where nobody else has written the data since. To forge that, one has to want one's own Secret overwritten.
 */
import type { ObservedSecret, RecognizedSecret } from '../model/observed.ts'
import { isMarked } from '../model/secret-change.ts'
import { claimsOf, type Marks } from './marks.ts'
import { sharedList } from './shared.ts'

/** What can be told of a Secret from its marks. */
type Standing = Pick<RecognizedSecret, 'ours' | 'madeOf' | 'proven'>

export class Ownership {
  readonly #marks: Marks
  /** Uid of a Secret → what its last verified mark told. */
  readonly #proven = new Map<string, Standing>()
  /** By the uids of the credentials: what is proven of many Secrets is kept once. */
  readonly #standings = new WeakMap<readonly string[], Standing>()
  /** Every state of a Secret that a watch brings is looked at once. */
  readonly #recognized = new WeakMap<ObservedSecret, Standing>()

  constructor(marks: Marks) {
    this.#marks = marks
  }

  recognize(secret: ObservedSecret): RecognizedSecret {
    const standing = this.#recognized.get(secret) ?? this.#look(secret)
    this.#recognized.set(secret, standing)
    return { ...secret, ...standing }
  }

  /** It is gone, or about to be deleted or released. */
  forget(uid: string): void {
    this.#proven.delete(uid)
  }

  #look(secret: ObservedSecret): Standing {
    const proof = this.#marks.provenOf(secret)
    if (proof) this.#proven.set(secret.uid, this.#standingOf(sharedList(proof)))
    const proven = this.#proven.get(secret.uid)
    if (proven) return proven
    const claims = [...claimsOf(secret), ...secret.owners, ...secret.foreignOwners.map(({ uid }) => uid)]
    return { ours: secret.dataIsOurs && isMarked(secret), madeOf: new Set(claims), proven: false }
  }

  #standingOf(proof: readonly string[]): Standing {
    const standing = this.#standings.get(proof) ?? { ours: true, madeOf: new Set(proof), proven: true }
    this.#standings.set(proof, standing)
    return standing
  }
}
