/**
 * The content of a target Secret for each set of contributors, made once per set and not once per namespace: the same
 * bytes in every namespace keep the kubelet's record of pulled images valid (KEP-2535).
 */
import { createHmac } from 'node:crypto'
import type { CredentialState } from '../model/desired.ts'
import { encodeBase64, formatDockerConfigJson } from '../model/docker-config.ts'
import { merge, type Overlap } from '../model/merge.ts'

export interface Payload {
  /** `.dockerconfigjson` in base64. */
  data: string
  /** For the hash annotation: keyed, so that who may read it cannot guess passwords with it. */
  hash: string
  overlaps: readonly Overlap[]
}

/** Enough for every set that is in use at a time; what falls out is made again. */
const maxPayloads = 1024

export class Payloads {
  readonly #key: Buffer
  readonly #made = new Map<string, Payload>()

  /** @param key the operator's HMAC key */
  constructor(key: Buffer) {
    this.#key = key
  }

  /** @param contributors sorted by name, as `desiredSecret` gives them */
  of(contributors: readonly CredentialState[]): Payload {
    const set = contributors.map(({ credential, version }) => `${credential.name}@${version}`).join()
    const known = this.#made.get(set)
    if (known) return known
    const payload = this.#make(contributors)
    for (const oldest of this.#made.keys()) {
      if (this.#made.size < maxPayloads) break
      this.#made.delete(oldest)
    }
    this.#made.set(set, payload)
    return payload
  }

  /** True when `hash` was made of these bytes with this operator's key: nobody else can have made it. */
  verifies(dockerConfigJson: string, hash: string | undefined): boolean {
    return this.#hash(dockerConfigJson) === hash
  }

  #make(contributors: readonly CredentialState[]): Payload {
    const { entries, overlaps } = merge(
      contributors.map(({ credential, entries }) => ({
        credential: credential.name,
        priority: credential.priority,
        entries: entries ?? new Map(),
      })),
    )
    const text = formatDockerConfigJson(entries)
    return { data: encodeBase64(text), hash: this.#hash(text), overlaps }
  }

  #hash(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, 32)
  }
}
