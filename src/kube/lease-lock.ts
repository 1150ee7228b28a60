/**
 * One coordination.k8s.io/v1 Lease as a lock: single attempts to take or renew it, by client-go's rules.
 *
 * A foreign lease counts as expired when *we* have seen no change of it for its duration, on our own monotonic clock. The
 * times in it were written by another machine's clock and are for people. The resourceVersion in each write makes the
 * server refuse all but one of several candidates.
 */
import { fieldManager } from '../api/names.ts'
import { isAlreadyExists, isConflict, isNotFound } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { microTime } from './micro-time.ts'
import type { KubeObject } from './objects.ts'

export interface LeaseLockOptions {
  client: KubeClient
  namespace: string
  /** Of the Lease. */
  name: string
  /** Ours; no two processes may have the same. */
  identity: string
  /** How long others have to wait after our last sign of life. Whole seconds. */
  durationSeconds: number
  /** For each request. */
  timeoutMs: number
}

interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    leaseTransitions?: number
    renewTime?: string
  }
}

export class LeaseLock {
  readonly #options: LeaseLockOptions
  readonly #leases: string
  readonly #path: string
  #lease: Lease | undefined
  /** When the lease was last seen to change, in ms of performance.now(). */
  #changedAt = 0

  constructor(options: LeaseLockOptions) {
    this.#options = options
    this.#leases = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
    this.#path = `${this.#leases}/${options.name}`
  }

  /** As last seen; '' when nobody holds it. */
  get holder(): string {
    return this.#lease?.spec?.holderIdentity ?? ''
  }

  /**
   * Takes the lease, or renews it.
   * @returns false when somebody else has it, or was faster
   * @throws ApiError, ConnectionError: it may or may not be ours
   */
  async tryHold(signal?: AbortSignal): Promise<boolean> {
    // A holder writes without reading first, as long as nobody else has touched the lease.
    if (this.#isOurs && (await this.#write(signal))) return true
    if (!(await this.#read(signal))) return this.#create(signal)
    if (!this.#isOurs && this.holder !== '' && !this.#isExpired) return false
    return this.#write(signal)
  }

  /** Lets the next candidate in at once. Only after all work has ended. */
  async release(): Promise<void> {
    const { client, timeoutMs } = this.#options
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() }
    await client.mergePatch(this.#path, { metadata: this.#precondition, spec }, { fieldManager, timeoutMs })
    this.#lease = undefined
  }

  get #isOurs(): boolean {
    return this.holder === this.#options.identity
  }

  get #isExpired(): boolean {
    const seconds = this.#lease?.spec?.leaseDurationSeconds ?? this.#options.durationSeconds
    return performance.now() > this.#changedAt + seconds * 1000
  }

  get #precondition(): { resourceVersion: string | undefined } {
    return { resourceVersion: this.#lease?.metadata.resourceVersion }
  }

  /** @returns false when there is no such Lease */
  async #read(signal: AbortSignal | undefined): Promise<boolean> {
    const { client, timeoutMs } = this.#options
    try {
      this.#saw(await client.get<Lease>(this.#path, { timeoutMs, ...(signal && { signal }) }))
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /** @returns false when somebody was faster */
  async #write(signal: AbortSignal | undefined): Promise<boolean> {
    const { client, identity, durationSeconds, timeoutMs } = this.#options
    const now = microTime()
    const transitions = this.#lease?.spec?.leaseTransitions ?? 0
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      renewTime: now,
      ...(!this.#isOurs && { acquireTime: now, leaseTransitions: transitions + 1 }),
    }
    const options = { fieldManager, timeoutMs, ...(signal && { signal }) }
    try {
      this.#saw(await client.mergePatch<Lease>(this.#path, { metadata: this.#precondition, spec }, options))
      return true
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false
      throw error
    }
  }

  async #create(signal: AbortSignal | undefined): Promise<boolean> {
    const { client, name, identity, durationSeconds, timeoutMs } = this.#options
    const now = microTime()
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: durationSeconds,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      },
    }
    const options = { fieldManager, timeoutMs, ...(signal && { signal }) }
    try {
      this.#saw(await client.create<Lease>(this.#leases, lease, options))
      return true
    } catch (error) {
      if (isAlreadyExists(error)) return false
      throw error
    }
  }

  /** Only `spec` counts as a sign of life: anybody may write labels. */
  #saw(lease: Lease): void {
    if (JSON.stringify(lease.spec) !== JSON.stringify(this.#lease?.spec)) this.#changedAt = performance.now()
    this.#lease = lease
  }
}
