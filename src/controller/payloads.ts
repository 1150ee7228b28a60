/**
 * The content of a target Secret for each set of contributors, made once per set and not once per namespace: the same
 * bytes in every namespace keep the kubelet's record of pulled images valid (KEP-2535).
 */
import { secretAim } from '../model/aim.ts'
import type { CredentialState } from '../model/desired.ts'
import { encodeBase64, formatDockerConfigJson, maxSecretBytes } from '../model/docker-config.ts'
import { merge, type Overlap } from '../model/merge.ts'
import type { OverlapsByName } from '../model/target.ts'

export interface Payload {
  /** `.dockerconfigjson` in base64. */
  data: string
  /** Of the data, for the mark. */
  hash: string
  /** Whose entries are in it, sorted by name. */
  madeOf: readonly CredentialState[]
  overlaps: OverlapsByName
  /** For the rules of contention.ts; kept for each Secret that was written, and so one string for all. */
  aim: string
}

interface Made {
  payload: Payload
  contributors: readonly CredentialState[]
}

/** Characters of base64 kept in memory; what has not been asked for longest falls out, and is made again when it is. */
const maxKept = 32 * 1024 * 1024

export class Payloads {
  readonly #hash: (data: string) => string
  /** By contributors and their versions; least recently asked for first. */
  readonly #made = new Map<string, Made>()
  #kept = 0

  constructor(hash: (data: string) => string) {
    this.#hash = hash
  }

  /** @param contributors sorted by name, as `desiredSecret` gives them */
  of(contributors: readonly CredentialState[]): Payload {
    const set = contributors.map(({ credential, version }) => `${credential.name}@${version}`).join()
    const made = this.#made.get(set) ?? { payload: this.#make(contributors), contributors }
    this.#drop(set)
    this.#made.set(set, made)
    this.#kept += made.payload.data.length
    for (const oldest of this.#made.keys()) {
      if (this.#kept <= maxKept || oldest === set) break
      this.#drop(oldest)
    }
    return made.payload
  }

  /** A credential is gone, or has a new version: what was made of the old one is not asked for any more, and is a login. */
  forget(credential: string): void {
    for (const [set, { contributors }] of this.#made) {
      if (contributors.some((each) => each.credential.name === credential)) this.#drop(set)
    }
  }

  #drop(set: string): void {
    this.#kept -= this.#made.get(set)?.payload.data.length ?? 0
    this.#made.delete(set)
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
    const hash = this.#hash(text)
    return {
      data: encodeBase64(text),
      hash,
      madeOf,
      overlaps: byName(madeOf, overlaps),
      aim: secretAim(hash, madeOf),
    }
  }
}

function byName(madeOf: readonly CredentialState[], overlaps: readonly Overlap[]): OverlapsByName {
  const named = new Map<string, Overlap[]>(madeOf.map(({ credential }) => [credential.name, []]))
  for (const overlap of overlaps) {
    named.get(overlap.winner)?.push(overlap)
    named.get(overlap.loser)?.push(overlap)
  }
  return named
}
