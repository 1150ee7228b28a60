/**
 * The mark on our Secrets: what it was made of, signed with the operator's key for this very Secret. Whoever may write
 * Secrets in a namespace can copy labels, annotations and ownerReferences, and choose any field manager; a mark of
 * another namespace, of other credentials or of another key does not verify.
 *
 * Annotation `regcred.dev/mark`: `<hash of the data>:<uid>,<uid>…:<signature>`. Hash and signature are HMAC-SHA256 cut
 * to 128 bits: keyed, so that who may read the metadata cannot try passwords on it.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { ObservedSecret } from '../model/observed.ts'

/** A mark longer than this is none of ours: it would be one of 3,500 credentials in one Secret. */
export const maxMarkLength = 128 * 1024

type Identity = Pick<ObservedSecret, 'namespace' | 'name'>

export class Marks {
  /** A KeyObject, which Node makes ready once: of a Buffer it does so in each of the two or three signatures of a write. */
  readonly #key: KeyObject

  /** @param key the operator's HMAC key */
  constructor(key: Buffer) {
    this.#key = createSecretKey(key)
  }

  hashOf(data: string): string {
    return this.#sign('data', data)
  }

  /** @param madeOf uids, in the order of the mark */
  markOf({ namespace, name }: Identity, hash: string, madeOf: readonly string[]): string {
    const content = `${hash}:${madeOf.join()}`
    return `${content}:${this.#sign('mark', `${namespace}/${name}:${content}`)}`
  }

  /** The uids of the credentials that the Secret was made of, or undefined when its mark does not prove any. */
  provenOf(secret: ObservedSecret): readonly string[] | undefined {
    const [hash = ''] = secret.mark?.split(':', 1) ?? []
    const madeOf = claimsOf(secret)
    return secret.mark === this.markOf(secret, hash, madeOf) ? madeOf : undefined
  }

  #sign(purpose: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}\n${text}`).digest('hex').slice(0, 32)
  }
}

/** The uids that a mark names, whoever wrote it. */
export function claimsOf({ mark }: ObservedSecret): readonly string[] {
  return mark?.split(':', 2)[1]?.split(',') ?? []
}
