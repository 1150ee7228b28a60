/**
 * Writes `status`: only when it has changed, at most once a second for each credential, and ever more rarely where somebody
 * keeps changing it back, such as another installation.
 */
import { isDeepStrictEqual } from 'node:util'
import { statusAim } from '../model/aim.ts'
import { rfc3339 } from '../model/rfc3339.ts'
import { type Status, statusOf } from '../model/status.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import { Contention } from './contention.ts'
import type { CredentialStates } from './credential-states.ts'
import type { ObservedCredential } from './observe.ts'
import type { PodLoop } from './pod-loop.ts'
import type { Reporter } from './reporter.ts'

/** Milliseconds: long enough for the first namespaces of a change to be counted in. */
const settle = 50
const interval = 1000

export class StatusWriter {
  readonly #caches: Caches
  readonly #credentials: CredentialStates
  readonly #board: Board
  readonly #write: (credential: ObservedCredential, status: Status) => Promise<void>
  readonly #reporter: Reporter
  readonly #pods: Pick<PodLoop, 'stuckOf'>
  readonly #written = new Map<string, number>()
  readonly #contention = new Contention()

  constructor(
    caches: Caches,
    credentials: CredentialStates,
    board: Board,
    reporter: Reporter,
    pods: Pick<PodLoop, 'stuckOf'>,
    write: (credential: ObservedCredential, status: Status) => Promise<void>,
  ) {
    this.#caches = caches
    this.#credentials = credentials
    this.#board = board
    this.#reporter = reporter
    this.#pods = pods
    this.#write = write
  }

  /** Milliseconds after which a status that may have changed is to be reconciled. */
  delayOf(name: string): number {
    const last = this.#written.get(name) ?? Number.NEGATIVE_INFINITY
    return Math.max(settle, last + interval - performance.now())
  }

  /** @returns milliseconds after which one that is contended may be written */
  async reconcile(name: string): Promise<number | undefined> {
    const credential = this.#caches.credentials.get('', name)
    const record = this.#credentials.get(name)
    if (credential === undefined || record === undefined || record.credential.uid !== credential.uid) {
      this.#written.delete(name)
      this.#contention.forget(name)
      return undefined
    }
    const tally = this.#board.tally(name, record.version)
    const findings = { ...record, tally, isKnown: record.entries !== undefined, stuckPods: this.#pods.stuckOf(record) }
    const status = statusOf(findings, credential.status, rfc3339(new Date()))
    if (isDeepStrictEqual(status, credential.status)) return undefined
    const aim = statusAim(status)
    if (!this.#contention.mayWrite(name, aim)) return this.#contention.of(name)?.nextMs
    this.#written.set(name, performance.now())
    await this.#write(credential, status)
    this.#contention.wrote(name, aim, undefined)
    this.#tell(credential, status)
    return undefined
  }

  /** What became of the namespaces, when that has changed; what is wrong with the source the credential loop tells. */
  #tell(credential: ObservedCredential, { conditions }: Status): void {
    const before = credential.status?.conditions
    const contended = conditionOf('Contended', conditions)
    if (contended && !conditionOf('Contended', before)) {
      this.#reporter.about(credential, 'Warning', 'Contended', 'RepairReferences', contended.message)
    }
    const ready = conditionOf('Ready', conditions)
    if (ready === undefined || ready.reason === conditionOf('Ready', before)?.reason) return
    const { reason, message } = ready
    if (reason === 'Succeeded') this.#reporter.about(credential, 'Normal', reason, 'WriteSecrets', message)
    if (reason === 'NamespacesFailed') this.#reporter.about(credential, 'Warning', reason, 'WriteSecrets', message)
  }
}

function conditionOf(type: string, conditions: Status['conditions']) {
  return conditions?.find((condition) => condition.type === type)
}
