/**
 * The last good entries of a credential, read back from a copy in some namespace. Needed when the operator has started
 * anew and the source cannot be read, or must not be (suspended): without them the credential's entries would be lost
 * from every Secret it shares. A copy is believed only if its hash was made with the operator's own key.
 */
import { dockerConfigJsonKey } from '../api/names.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { decodeBase64, type Entries, parseDockerConfigJson } from '../model/docker-config.ts'
import type { ObservedSecret } from '../model/observed.ts'
import type { Caches } from './caches.ts'
import type { ObservedCredential } from './observe.ts'
import type { Payloads } from './payloads.ts'
import { secretPath } from './secret-writer.ts'

/** Namespaces may have spoiled their copies; a few are tried. */
const maxCopies = 5

export class LastGood {
  readonly #client: KubeClient
  readonly #caches: Caches
  readonly #payloads: Payloads

  constructor(client: KubeClient, caches: Caches, payloads: Payloads) {
    this.#client = client
    this.#caches = caches
    this.#payloads = payloads
  }

  /** Undefined when no copy gives all the keys that the credential's status names. */
  async entriesOf(credential: ObservedCredential): Promise<Entries | undefined> {
    const keys = credential.status?.credential?.registries
    if (keys === undefined) return undefined
    for (const copy of this.#copiesOf(credential, keys).slice(0, maxCopies)) {
      const entries = await this.#read(copy)
      const own = keys.flatMap((key) => {
        const entry = entries?.get(key)
        return entry ? [[key, entry] as const] : []
      })
      if (own.length === keys.length) return new Map(own)
    }
    return undefined
  }

  /**
   * The Secrets that carry its entries. Left out are those that somebody else wrote last, and those in which another
   * credential may have won one of its keys.
   */
  #copiesOf(credential: ObservedCredential, keys: readonly string[]): ObservedSecret[] {
    const rivals = new Set<string>()
    for (const other of this.#caches.credentials.values()) {
      const sharesKey = other.status?.credential?.registries.some((key) => keys.includes(key))
      if (other.uid !== credential.uid && sharesKey) rivals.add(other.uid)
    }
    return [...this.#caches.secrets.values()]
      .flatMap((cache) => [...cache.values()])
      .filter(({ dataIsOurs }) => dataIsOurs)
      .filter(({ owners }) => owners.some(({ uid }) => uid === credential.uid))
      .filter(({ owners }) => !owners.some(({ uid }) => rivals.has(uid)))
  }

  async #read({ namespace, name, hash }: ObservedSecret): Promise<Entries | undefined> {
    try {
      const { data } = await this.#client.get<{ data?: Record<string, string> }>(secretPath(namespace, name))
      const text = decodeBase64(data?.[dockerConfigJsonKey] ?? '') ?? ''
      return this.#payloads.verifies(text, hash) ? parseDockerConfigJson(text) : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}
