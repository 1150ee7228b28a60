/**
 * The credential loop: read the source once per credential, never once per namespace, and wake the namespaces that the
 * change concerns, old and new. What cannot be read leaves the last good entries in place.
 */
import { isDeepStrictEqual } from 'node:util'
import { finalizer } from '../api/names.ts'
import { isForbidden, isInvalid } from '../kube/api-error.ts'
import type { Credential } from '../model/credential.ts'
import { feeds } from '../model/desired.ts'
import type { Entries } from '../model/docker-config.ts'
import { selectsNamespace } from '../model/selection.ts'
import type { Material } from '../model/status.ts'
import { SourceProblem } from '../sources/source-problem.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import type { CredentialRecord, CredentialStates } from './credential-states.ts'
import type { Kept, LastGood } from './last-good.ts'
import type { ObservedCredential } from './observe.ts'
import type { Ownership } from './ownership.ts'
import type { Reporter } from './reporter.ts'

export interface CredentialLoopParts {
  caches: Caches
  credentials: CredentialStates
  board: Board
  lastGood: LastGood
  ownership: Ownership
  reporter: Reporter
  log: Logger
  /** What the source's content is at; undefined when it has to be asked to know. */
  sourceVersion(credential: Credential): string | undefined
  issue(credential: Credential): Promise<Kept>
  /** Puts our finalizer on a living credential, takes it off a deleted one. True when the credential was changed. */
  finalize(credential: ObservedCredential): Promise<boolean>
  /** Keeps secret values out of everything that is logged from now on. */
  conceal(entries: Entries): void
  wake(namespace: string): void
  touchStatus(credential: string): void
}

type Problem = CredentialRecord['problem']

export class CredentialLoop {
  readonly #parts: CredentialLoopParts
  #versions = 0

  constructor(parts: CredentialLoopParts) {
    this.#parts = parts
  }

  /**
   * Makes the credentials of before the start known, unread as they are: should reading one fail, what it has brought
   * about must not look unwanted. One that is being deleted becomes known when its removal begins.
   */
  introduce(): void {
    for (const credential of this.#parts.caches.credentials.values()) {
      if (!credential.deleting)
        this.#parts.credentials.set({ ...unread, credential, frozen: this.#isFrozen(credential) })
    }
  }

  /** @throws what a later attempt may not meet */
  async reconcile(name: string): Promise<void> {
    const { caches, credentials, lastGood } = this.#parts
    const credential = caches.credentials.get('', name)
    const known = credentials.get(name)?.credential.uid
    if (credential === undefined) {
      this.#forget(name)
    } else if (credential.deleting) {
      await this.#remove(credential)
    } else {
      if (!credential.finalizers.includes(finalizer)) await this.#parts.finalize(credential)
      await this.#refresh(credential)
    }
    if (known === undefined || known === credential?.uid) return
    await lastGood.forget(known).catch((error: unknown) => {
      this.#parts.log.warn('the entries of a credential that is gone are kept until the next start', { error })
    })
  }

  /** It is gone without our finalizer having been asked; the namespaces see to what it has left behind. */
  #forget(name: string): void {
    const { credentials, board, wake } = this.#parts
    const record = credentials.get(name)
    const concerned = record ? this.#concerned({ ...record.credential, deleting: true }) : []
    credentials.delete(name)
    board.forgetCredential(name)
    for (const [namespace] of concerned) wake(namespace)
  }

  /** The finalizer comes off when nothing of the credential is left in any namespace. */
  async #remove(credential: ObservedCredential): Promise<void> {
    const previous = this.#recordOf(credential)
    if (!previous?.credential.deleting || previous.credential.generation !== credential.generation) {
      this.#accept({ ...(previous ?? unread), credential, frozen: false, version: ++this.#versions })
    }
    if (this.#parts.board.namespacesOf(credential.name).length > 0) return
    if (!credential.finalizers.includes(finalizer)) return // it is kept by the finalizer of somebody else
    await this.#parts.finalize(credential)
    this.#parts.log.info('credential removed', { credential: credential.name })
  }

  async #refresh(credential: ObservedCredential): Promise<void> {
    const previous = this.#recordOf(credential)
    const frozen = this.#isFrozen(credential)
    const read = frozen ? { problem: this.#nameNotAllowed(credential) } : await this.#read(credential, previous)
    const { entries, material } = this.#inUse(credential, read.issued, previous)
    const entriesChanged = !isDeepStrictEqual(entries, previous?.entries)
    const changed =
      entriesChanged || frozen !== previous?.frozen || credential.generation !== previous?.credential.generation
    const record: CredentialRecord = {
      credential,
      entries,
      frozen,
      version: changed ? ++this.#versions : (previous?.version ?? 0),
      problem: read.problem,
      material,
      readFrom: read.readFrom,
    }
    this.#tell(record, previous, entriesChanged)
    if (changed) this.#accept(record)
    else this.#parts.credentials.set(record)
    this.#parts.touchStatus(credential.name)
    if (read.error) throw read.error
  }

  /** What is known of this very object: one deleted and created again under its name starts anew. */
  #recordOf({ name, uid }: Credential): CredentialRecord | undefined {
    const record = this.#parts.credentials.get(name)
    return record?.credential.uid === uid ? record : undefined
  }

  #isFrozen(credential: Credential): boolean {
    return credential.suspended || this.#nameNotAllowed(credential) !== undefined
  }

  #nameNotAllowed({ secretName }: Credential): Problem {
    const allowed = [...this.#parts.caches.secrets.keys()]
    if (allowed.includes(secretName)) return undefined
    const message = `spec.secretName ${secretName} is not among the names this installation may write (${allowed.join(', ')}); use one of these, or have it added to the installation (config/secret-names).`
    return { reason: 'SecretNameNotAllowed', message, terminal: true }
  }

  async #read(credential: Credential, previous: CredentialRecord | undefined): Promise<Reading> {
    const version = this.#parts.sourceVersion(credential)
    const readFrom = version && `${version} for ${JSON.stringify([credential.source, credential.registries])}`
    if (previous !== undefined && !previous.frozen && readFrom !== undefined && readFrom === previous.readFrom) {
      return { problem: previous.problem, readFrom }
    }
    try {
      const issued = await this.#parts.issue(credential)
      this.#parts.conceal(issued.entries)
      return { issued, problem: undefined, readFrom, ...(await this.#keep(credential, issued)) }
    } catch (error) {
      if (error instanceof SourceProblem) {
        const { reason, message } = error
        return { problem: { reason, message, terminal: reason !== 'SourceNotFound' }, readFrom }
      }
      const { message } = this.#parts.reporter.problemOf(error)
      return { problem: { reason: 'SourceUnavailable', message, terminal: false }, readFrom: undefined, error }
    }
  }

  /** Before anything is written with it. Not kept is no reason not to use it, but one to read it again, if that can help. */
  async #keep(credential: Credential, issued: Kept): Promise<Partial<Reading>> {
    const { lastGood, log, reporter } = this.#parts
    try {
      await lastGood.keep(credential.uid, issued)
      return {}
    } catch (error) {
      if (!isRefused(error)) return { readFrom: undefined, error }
      const note = `Should its source be broken when the operator starts, its entries will be lost: they cannot be kept, since ${reporter.problemOf(error).message}`
      log.warn(note, { credential: credential.name })
      reporter.about(credential, 'Warning', 'NotKept', 'KeepEntries', note)
      return {}
    }
  }

  /** What the source has just given, else the last that was good. */
  #inUse(
    { uid }: Credential,
    issued: Kept | undefined,
    previous: CredentialRecord | undefined,
  ): Pick<CredentialRecord, 'entries' | 'material'> {
    if (issued) return { entries: issued.entries, material: materialOf(issued) }
    if (previous?.entries) return previous
    const kept = this.#parts.lastGood.of(uid)
    if (!kept) return { entries: undefined, material: undefined }
    this.#parts.conceal(kept.entries)
    return { entries: kept.entries, material: materialOf(kept) }
  }

  #tell(record: CredentialRecord, previous: CredentialRecord | undefined, entriesChanged: boolean): void {
    const { credential, problem, material } = record
    const log = { credential: credential.name }
    if (problem && problem.message !== previous?.problem?.message) {
      this.#parts.log.warn(problem.message, { ...log, reason: problem.reason })
      this.#parts.reporter.about(credential, 'Warning', problem.reason, 'ReadSource', problem.message)
    } else if (entriesChanged) {
      const registries = material?.registries.join(', ')
      this.#parts.log.info('credentials read', { ...log, registries })
      const note = `New credentials for ${registries}.`
      if (previous?.entries) this.#parts.reporter.about(credential, 'Normal', 'Rotated', 'ReadSource', note)
    }
  }

  /** From here on the namespace loop works with it. */
  #accept(record: CredentialRecord): void {
    const { board, credentials, wake } = this.#parts
    const { credential } = record
    credentials.set(record)
    for (const [namespace, selected] of this.#concerned(credential)) {
      board.expect(credential.name, namespace, selected)
      wake(namespace)
    }
    this.#parts.touchStatus(credential.name)
  }

  /** The namespaces that hold something of it, or should; with whether it selects them. */
  #concerned(credential: Credential): Map<string, boolean> {
    const { caches, board, ownership } = this.#parts
    const concerned = new Map<string, boolean>(board.namespacesOf(credential.name).map((name) => [name, false]))
    for (const cache of caches.secrets.values()) {
      for (const secret of cache.values()) {
        const namespace = caches.namespaces.get('', secret.namespace)
        if (namespace && feeds(credential, namespace, ownership.recognize(secret))) concerned.set(namespace.name, false)
      }
    }
    if (credential.deleting) {
      for (const { namespace, managed } of caches.serviceAccounts.values()) {
        if (managed.includes(credential.secretName)) concerned.set(namespace, false)
      }
      return concerned
    }
    for (const namespace of caches.namespaces.values()) {
      if (selectsNamespace(credential, namespace)) concerned.set(namespace.name, true)
    }
    return concerned
  }
}

/** Trying again is of no use: a right is missing, or there is no room. */
function isRefused(error: unknown): boolean {
  return isForbidden(error) || isInvalid(error)
}

interface Reading {
  issued?: Kept
  problem: Problem
  readFrom?: string | undefined
  /** To be thrown when all else is done, so that the queue tries again. */
  error?: unknown
}

const unread: Omit<CredentialRecord, 'credential' | 'frozen'> = {
  entries: undefined,
  material: undefined,
  readFrom: undefined,
  problem: undefined,
  version: 0,
}

function materialOf({ entries, issuedAt }: Kept): Material {
  return { registries: [...entries.keys()].sort(), ...(issuedAt && { issuedAt }) }
}
