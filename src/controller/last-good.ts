/**
 * The last good login of every credential, so that one whose source cannot be read, or must not be (it is suspended),
 * does not lose it when the operator starts anew, nor its neighbours in the same Secret theirs; and so that an issuer is
 * not asked again for what is still good.
 *
 * Kept in Secrets of the operator's own namespace, spread over sixteen by the first digit of the credential's uid: RBAC
 * names them, and each may hold 1 MiB. Nothing is ever read back from the copies, which their namespaces can write.
 */
import { fieldManager, stateSecretPrefix } from '../api/names.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { formatLogin, parseLogin } from '../model/kept-login.ts'
import type { Login } from '../model/login.ts'
import { secretPath } from './secret-writer.ts'

const digits = '0123456789abcdef'

export class LastGood {
  readonly #client: KubeClient
  readonly #namespace: string
  /** Digit → uid of a credential → value in base64, as the Secrets hold them. */
  readonly #shards = new Map<string, Map<string, string>>()
  /** Digit → the last write: two that make one Secret at the same time would each leave the other out. */
  readonly #writes = new Map<string, Promise<void>>()

  /** @param namespace the operator's own */
  constructor(client: KubeClient, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  /** Must be called before all else. @throws ApiError, ConnectionError */
  async load(): Promise<void> {
    await Promise.all(
      [...digits].map(async (digit) => {
        this.#shards.set(digit, new Map(Object.entries(await this.#read(digit))))
      }),
    )
  }

  /** Undefined when none are kept, or what is kept cannot be read. */
  of(uid: string): Login | undefined {
    const value = this.#shardOf(uid).get(uid)
    return value === undefined ? undefined : parseLogin(value)
  }

  /** No write when that is what is kept. @throws ApiError, ConnectionError */
  async keep(uid: string, login: Login): Promise<void> {
    const value = formatLogin(login)
    await this.#inTurn(uid, async (shard) => {
      if (shard.get(uid) === value) return
      await this.#write(uid, value)
      shard.set(uid, value)
    })
  }

  /** @throws ApiError, ConnectionError */
  async forget(uid: string): Promise<void> {
    await this.#inTurn(uid, async (shard) => {
      if (!shard.has(uid)) return
      await this.#write(uid, null)
      shard.delete(uid)
    })
  }

  /** Forgets all credentials but these. @throws ApiError, ConnectionError */
  async prune(uids: ReadonlySet<string>): Promise<void> {
    for (const uid of [...this.#shards.values()].flatMap((shard) => [...shard.keys()])) {
      if (!uids.has(uid)) await this.forget(uid)
    }
  }

  async #inTurn(uid: string, work: (shard: Map<string, string>) => Promise<void>): Promise<void> {
    const before = this.#writes.get(digitOf(uid)) ?? Promise.resolve()
    const done = before.then(() => work(this.#shardOf(uid)))
    const settled = done.catch(() => {}) // told to whoever asked for it
    this.#writes.set(digitOf(uid), settled)
    await done
  }

  async #write(uid: string, value: string | null): Promise<void> {
    const path = this.#pathOf(digitOf(uid))
    try {
      await this.#client.mergePatch(path, { data: { [uid]: value } }, { fieldManager })
    } catch (error) {
      if (!isNotFound(error)) throw error
      if (value === null) return
      // RBAC can limit an apply to a name but not a POST. The others of the shard are there again with it.
      const metadata = { name: stateSecretPrefix + digitOf(uid), namespace: this.#namespace }
      const data = { ...Object.fromEntries(this.#shardOf(uid)), [uid]: value }
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'regcred.dev/state', data }
      await this.#client.apply(path, secret, { fieldManager, force: true })
    }
  }

  async #read(digit: string): Promise<Record<string, string>> {
    try {
      return (await this.#client.get<{ data?: Record<string, string> }>(this.#pathOf(digit))).data ?? {}
    } catch (error) {
      if (isNotFound(error)) return {}
      throw error
    }
  }

  #pathOf(digit: string): string {
    return secretPath(this.#namespace, stateSecretPrefix + digit)
  }

  #shardOf(uid: string): Map<string, string> {
    const shard = this.#shards.get(digitOf(uid))
    if (!shard) throw new Error('the last good logins were not loaded')
    return shard
  }
}

/** Of a random UUID; whatever else an API server may take for a uid has its place as well. */
function digitOf(uid: string): string {
  return digits.includes(uid.charAt(0)) ? uid.charAt(0) : '0'
}
