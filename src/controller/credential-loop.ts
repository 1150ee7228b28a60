/**
 * The credential loop: what is to be written for a credential, and where. It wakes the namespaces that a change of the
 * credential or of its login concerns, old and new, and sees it out when it is deleted.
 */
import { isDeepStrictEqual } from 'node:util'
import { finalizer } from '../api/names.ts'
import { type Credential, isWatched, pollIntervalOf } from '../model/credential.ts'
import { feeds } from '../model/desired.ts'
import type { Entries } from '../model/docker-config.ts'
import { entriesInUse, isOver, type Login, msUntilEnd } from '../model/login.ts'
import type { Moment } from '../model/moment.ts'
import { rfc3339 } from '../model/rfc3339.ts'
import { selectsNamespace } from '../model/selection.ts'
import type { Material } from '../model/status.ts'
import { isRefusal } from '../model/verification.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import { moment } from './clock.ts'
import type { CredentialRecord, CredentialStates } from './credential-states.ts'
import { issuedFor } from './issued-for.ts'
import type { LastGood } from './last-good.ts'
import type { LoginState, Logins } from './logins.ts'
import type { ObservedCredential } from './observe.ts'
import type { Ownership } from './ownership.ts'
import type { Payloads } from './payloads.ts'
import type { Reporter } from './reporter.ts'

export interface CredentialLoopParts {
  caches: Caches
  credentials: CredentialStates
  board: Board
  logins: Logins
  lastGood: LastGood
  ownership: Ownership
  reporter: Reporter
  log: Logger
  /** Keeps secret values out of everything that is logged from now on. */
  conceal(entries: Entries): void
  /** What was issued for it is nowhere in use any more, and to be ended at the issuer. */
  endLogin(credential: string): void
  /** The credential with this uid has gone. */
  forgetLogin(credential: string, uid: string): void
  /** What the source, or the Secret it proves itself with, is at. */
  sourceVersion(credential: Credential): string
  /** Puts our finalizer on a living credential, takes it off a deleted one. True when the credential was changed. */
  finalize(credential: ObservedCredential): Promise<boolean>
  payloads: Pick<Payloads, 'forget'>
  /** One of the many namespaces that a credential concerns is to be looked at, at once or in so many milliseconds. */
  sweep(namespace: string, ms?: number): void
  touchStatus(credential: string): void
}

type Problem = CredentialRecord['problem']

/** Milliseconds for which namespaces wait for a first login: mostly it is there at once, and they are looked at for it. */
const loginMs = 1_000

export class CredentialLoop {
  readonly #parts: CredentialLoopParts
  #versions = 0

  constructor(parts: CredentialLoopParts) {
    this.#parts = parts
  }

  /**
   * Makes the credentials of before the start known with what was kept of their logins: what they have brought about must
   * not look unwanted. One that is being deleted becomes known when its removal begins.
   */
  introduce(): void {
    const { caches, credentials, logins, lastGood, conceal } = this.#parts
    for (const credential of caches.credentials.values()) {
      const kept = lastGood.of(credential.uid)
      if (kept) conceal(kept.entries)
      logins.introduce(credential.uid, kept, pollIntervalOf(credential))
      if (!credential.deleting) credentials.set({ ...unknown, credential, frozen: this.isFrozen(credential) })
    }
  }

  /**
   * @returns milliseconds until the login ends
   * @throws what a later attempt may not meet
   */
  async reconcile(name: string): Promise<number | undefined> {
    const { caches, credentials } = this.#parts
    const credential = caches.credentials.get('', name)
    const known = credentials.get(name)?.credential.uid
    if (credential === undefined) {
      this.#forget(name)
    } else if (credential.deleting) {
      await this.#remove(credential)
    } else {
      if (!credential.finalizers.includes(finalizer)) await this.#parts.finalize(credential)
      this.#update(credential)
    }
    if (known !== undefined && known !== credential?.uid) this.#parts.forgetLogin(name, known)
    return this.#msUntilEnd(credential)
  }

  /** Nothing must change for it. */
  isFrozen(credential: Credential): boolean {
    return credential.suspended || this.#nameNotAllowed(credential) !== undefined
  }

  /** It is gone without our finalizer having been asked; the namespaces see to what it has left behind. */
  #forget(name: string): void {
    const { credentials, board, payloads, sweep, touchStatus } = this.#parts
    const record = credentials.get(name)
    const concerned = record ? this.#concerned({ ...record.credential, deleting: true }) : []
    credentials.delete(name)
    board.forgetCredential(name)
    payloads.forget(name)
    touchStatus(name) // which remembers when it was written
    for (const [namespace] of concerned) sweep(namespace)
  }

  /** The finalizer comes off when nothing of the credential is left in any namespace, nor at the issuer. */
  async #remove(credential: ObservedCredential): Promise<void> {
    const previous = this.#recordOf(credential)
    if (!previous?.credential.deleting || previous.credential.generation !== credential.generation) {
      this.#accept({ ...(previous ?? unknown), credential, frozen: false, version: ++this.#versions })
    }
    if (this.#parts.board.namespacesOf(credential.name).length > 0) return
    if (!credential.finalizers.includes(finalizer)) return // it is kept by the finalizer of somebody else
    const state = this.#parts.logins.of(credential.uid)
    if (state.end !== 'done') {
      state.end = 'due'
      this.#parts.endLogin(credential.name)
      return
    }
    await this.#parts.finalize(credential)
    this.#parts.log.info('credential removed', { credential: credential.name })
  }

  #update(credential: ObservedCredential): void {
    const previous = this.#recordOf(credential)
    const frozen = this.isFrozen(credential)
    const state = this.#parts.logins.of(credential.uid)
    const login = state.current
    const now = moment()
    const entries = frozen ? login?.entries : entriesInUse(login, now)
    const entriesChanged = !isDeepStrictEqual(entries, previous?.entries)
    const changed =
      entriesChanged || frozen !== previous?.frozen || credential.generation !== previous?.credential.generation
    const nameNotAllowed = this.#nameNotAllowed(credential)
    const record: CredentialRecord = {
      credential,
      entries,
      isOutdated: login?.issuedFor !== issuedFor(credential, this.#parts.sourceVersion(credential)),
      frozen,
      version: changed ? ++this.#versions : (previous?.version ?? 0),
      material: login && materialOf(login, entries ?? new Map()),
      // Of what has ended and was taken out, what the registry said is of no interest any more.
      check: state.candidate?.check ?? (entries?.size === 0 ? undefined : login?.check),
      problem: undefined,
      refreshFailure: undefined,
      ...(nameNotAllowed ? { problem: nameNotAllowed } : frozen ? {} : problemsOf(credential, state, now)),
    }
    if (entries?.size === 0 && previous?.entries?.size) {
      const note = `The login ended at ${login?.expiresAt?.toISOString()} and is taken out of the Secrets.`
      this.#parts.log.warn(note, { credential: credential.name })
      this.#parts.reporter.about(credential, 'Warning', 'Expired', 'WriteSecrets', note)
    }
    if (changed) this.#accept(record)
    else this.#parts.credentials.set(record)
    this.#parts.touchStatus(credential.name)
  }

  #msUntilEnd(credential: Credential | undefined): number | undefined {
    const login = credential && this.#parts.logins.of(credential.uid).current
    const ms = login ? msUntilEnd(login, moment()) : 0
    return ms > 0 && ms < Number.POSITIVE_INFINITY ? ms : undefined
  }

  /** What is known of this very object: one deleted and created again under its name starts anew. */
  #recordOf({ name, uid }: Credential): CredentialRecord | undefined {
    const record = this.#parts.credentials.get(name)
    return record?.credential.uid === uid ? record : undefined
  }

  #nameNotAllowed({ secretName }: Credential): Problem {
    const allowed = [...this.#parts.caches.secrets.keys()]
    if (allowed.includes(secretName)) return undefined
    const message = `spec.secretName ${secretName} is not among the names this installation may write (${allowed.join(', ')}); use one of these, or have it added to the installation (config/secret-names; Helm: secretNames).`
    return { reason: 'SecretNameNotAllowed', message, terminal: true }
  }

  /** From here on the namespace loop works with it. */
  #accept(record: CredentialRecord): void {
    const { board, credentials, payloads, sweep } = this.#parts
    const { credential } = record
    credentials.set(record)
    payloads.forget(credential.name)
    const waitMs = record.entries === undefined && !credential.deleting ? loginMs : 0
    for (const [namespace, selected] of this.#concerned(credential)) {
      board.expect(credential.name, namespace, selected)
      sweep(namespace, waitMs)
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

const unknown: Omit<CredentialRecord, 'credential' | 'frozen'> = {
  entries: undefined,
  isOutdated: false,
  material: undefined,
  check: undefined,
  problem: undefined,
  refreshFailure: undefined,
  version: 0,
}

/**
 * What keeps a login from being had, or from being renewed while the one in use is still good. A source that is watched
 * is not renewed by the clock: what is wrong with it is wrong now.
 */
function problemsOf(
  { source, verify }: Credential,
  { current, candidate, problem }: LoginState,
  now: Moment,
): Pick<CredentialRecord, 'problem' | 'refreshFailure'> {
  const nothing = { problem: undefined, refreshFailure: undefined }
  const canWait = problem && !problem.terminal && current && !isWatched(source)
  // What the registry says now of the login in use holds nothing back: that is told, and stays.
  const isNew = candidate && !isDeepStrictEqual(candidate.entries, entriesInUse(current, now))
  const check = isNew ? candidate.check : undefined
  if ((problem === undefined || canWait) && verify.policy === 'Enforce' && check && isRefusal(check)) {
    const stays = current ? 'The last good login stays.' : 'There is no earlier login.'
    const refused = { reason: 'VerificationFailed', message: `${check.message} ${stays}`, terminal: true }
    return { problem: refused, refreshFailure: problem }
  }
  const ended = current && isOver(current, now) ? current.expiresAt : undefined
  if (ended) {
    const message = `The login ended at ${ended.toISOString()} and was taken out of the Secrets. ${problem?.message ?? ''}`
    return { ...nothing, problem: { reason: 'Expired', message: message.trim(), terminal: problem?.terminal ?? false } }
  }
  return canWait ? { ...nothing, refreshFailure: problem } : { ...nothing, problem }
}

function materialOf({ issuedAt, expiresAt, refreshAt, check, request }: Login, entries: Entries): Material {
  return {
    registries: [...entries.keys()].sort(),
    issuedAt: rfc3339(issuedAt),
    ...(expiresAt && { expiresAt: rfc3339(expiresAt) }),
    ...(refreshAt && { nextRefreshAt: rfc3339(refreshAt) }),
    ...(check && { verifiedAt: rfc3339(check.at) }),
    ...(request !== undefined && { refreshRequest: request }),
  }
}
