/**
 * The content of a target Secret for each set of contributors, made once per set and not once per namespace: the same
 * bytes in every namespace keep the kubelet's record of pulled images valid (KEP-2535).
 */
import type { CredentialState } from '../model/desired.ts'
import { encodeBase64, formatDockerConfigJson, maxSecretBytes } from '../model/docker-config.ts'
import { merge, type Overlap } from '../model/merge.ts'

export interface Payload {
  /** `.dockerconfigjson` in base64. */
  data: string
  /** Of the data, for the mark. */
  hash: string
  /** Whose entries are in it, sorted by name. */
  madeOf: readonly CredentialState[]
  overlaps: readonly Overlap[]
}

/** Characters of base64 kept in memory; what has not been asked for longest falls out, and is made again when it is. */
const maxKept = 32 * 1024 * 1024

export class Payloads {
  readonly #hash: (data: string) => string
  /** Least recently asked for first. */
  readonly #made = new Map<string, Payload>()
  #kept = 0

  constructor(hash: (data: string) => string) {
    this.#hash = hash
  }

  /** @param contributors sorted by name, as `desiredSecret` gives them */
  of(contributors: readonly CredentialState[]): Payload {
    const set = contributors.map(({ credential, version }) => `${credential.name}@${version}`).join()
    const payload = this.#made.get(set) ?? this.#make(contributors)
    if (!this.#made.delete(set)) this.#kept += payload.data.length
    this.#made.set(set, payload)
    for (const [oldest, { data }] of this.#made) {
      if (this.#kept <= maxKept || oldest === set) break
      this.#made.delete(oldest)
      this.#kept -= data.length
    }
    return payload
  }

  #make(contributors: readonly CredentialState[]): Payload {
    const { entries, overlaps, leftOut } = merge(
      contributors.map(({ credential, entries }) => ({
        credential: credential.name,
        priority: credential.priority,
        entries: entries ?? new Map(),
      })),
      maxSecretBytes,
    )
    const text = formatDockerConfigJson(entries)
    const madeOf = contributors.filter(({ credential }) => !leftOut.has(credential.name))
    return { data: encodeBase64(text), hash: this.#hash(text), madeOf, overlaps }
  }
}
