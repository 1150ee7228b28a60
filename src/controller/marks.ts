/**
 * The mark on our Secrets: what it was made of, signed with the operator's key for this very Secret. Whoever may write
 * Secrets in a namespace can copy labels, annotations and ownerReferences, and choose any field manager; a mark of
 * another namespace, of other credentials or of another key does not verify.
 *
 * Annotation `regcred.dev/mark`: `<hash of the data>:<uid>,<uid>…:<signature>`. Hash and signature are HMAC-SHA256 cut
 * to 128 bits: keyed, so that who may read the metadata cannot try passwords on it.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { remember } from '../kube/remember.ts'
import type { ObservedSecret } from '../model/observed.ts'

/** A mark longer than this is none of ours: it would be one of 3,500 credentials in one Secret. */
export const maxMarkLength = 128 * 1024

/** More than are being written at a time. */
const maxMade = 64

type Identity = Pick<ObservedSecret, 'namespace' | 'name'>

export class Marks {
  /** A KeyObject, which Node makes ready once: of a Buffer it does so in each of the two or three signatures of a write. */
  readonly #key: KeyObject
  /** Marks that were made last → the Secret that they are for: the answer to a write brings one back, and so does the watch. */
  readonly #made = new Map<string, string>()

  /** @param key the operator's HMAC key */
  constructor(key: Buffer) {
    this.#key = createSecretKey(key)
  }

  hashOf(data: string): string {
    return this.#sign('data', data)
  }

  /** @param madeOf uids, in the order of the mark */
  markOf(secret: Identity, hash: string, madeOf: readonly string[]): string {
    const mark = this.#markOf(secret, hash, madeOf)
    remember(this.#made, mark, pathOf(secret), maxMade)
    return mark
  }

  /** The uids of the credentials that the Secret was made of, or undefined when its mark does not prove any. */
  provenOf(secret: ObservedSecret): readonly string[] | undefined {
    const { mark } = secret
    if (mark === undefined) return undefined
    const [hash = ''] = mark.split(':', 1)
    const madeOf = claimsOf(secret)
    const isOurs = this.#made.get(mark) === pathOf(secret) || mark === this.#markOf(secret, hash, madeOf)
    return isOurs ? madeOf : undefined
  }

  #markOf(secret: Identity, hash: string, madeOf: readonly string[]): string {
    const content = `${hash}:${madeOf.join()}`
    return `${content}:${this.#sign('mark', `${pathOf(secret)}:${content}`)}`
  }

  #sign(purpose: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}\n${text}`).digest('hex').slice(0, 32)
  }
}

function pathOf({ namespace, name }: Identity): string {
  return `${namespace}/${name}`
}

/** The uids that a mark names, whoever wrote it. */
export function claimsOf({ mark }: ObservedSecret): readonly string[] {
  return mark?.split(':', 2)[1]?.split(',') ?? []
}
