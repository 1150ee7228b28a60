/**
 * The login loop: a good login for every credential. The source is asked once per credential, ahead of the end of what it
 * gave; what it gives is proven with the registry, then kept, then handed to the credential loop. What cannot be had, or
 * is refused, leaves the last good login in place.
 */
import { isDeepStrictEqual } from 'node:util'
import { finalizer } from '../api/names.ts'
import { isForbidden, isInvalid } from '../kube/api-error.ts'
import { NotLeadingError } from '../kube/term.ts'
import { type NotNow, waitAfter } from '../kube/work-queue.ts'
import { type Credential, pollIntervalOf } from '../model/credential.ts'
import type { Entries } from '../model/docker-config.ts'
import { entriesInUse, type Handle, type HeldLogin, isOver, type Login, msUntilRefresh } from '../model/login.ts'
import type { Moment } from '../model/moment.ts'
import { refreshTime } from '../model/refresh.ts'
import { checked, isCheckDue, isRefusal, type Verification } from '../model/verification.ts'
import { isTerminal, SourceProblem } from '../sources/source-problem.ts'
import type { Material } from '../sources/sources.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Caches } from './caches.ts'
import { moment, steadyIn } from './clock.ts'
import { issuedFor as hashOf } from './issued-for.ts'
import type { Issuers } from './issuers.ts'
import type { LastGood } from './last-good.ts'
import type { LoginState, Logins } from './logins.ts'
import type { Reporter } from './reporter.ts'
import type { Retirement } from './retirement.ts'

export interface LoginLoopParts {
  caches: Caches
  logins: Logins
  issuers: Issuers
  retirement: Retirement
  lastGood: LastGood
  reporter: Reporter
  log: Logger
  /** Nothing must change for it: it is suspended, or not allowed. */
  isFrozen(credential: Credential): boolean
  /** What the source, or the Secret it proves itself with, is at. */
  sourceVersion(credential: Credential): string
  issue(credential: Credential, handle: Handle | undefined): Promise<Material>
  verify(entries: Entries, image: string | undefined): Promise<Verification>
  /** The login in use, or what is wrong with it, is another. */
  changed(credential: string): void
  /** For metrics: how asking a source ended, `Succeeded` or the reason; and what a registry said. */
  asked(credential: Credential, result: string): void
  verified(verdict: Verification['verdict']): void
  /** Aborted: the operator ends, and what fails now fails for that. */
  signal: AbortSignal
}

/** What a login is asked for with. */
interface Request extends Pick<Login, 'issuedFor' | 'request'> {
  cause: string
}

/** Milliseconds after which a polled source is asked again, at most, when its owner has to mend something there. */
const mendedMs = 10 * 60_000
/** Milliseconds after which keeping a login is tried again where RBAC does not allow it. */
const keepAgainMs = 60_000
/** Milliseconds after which forgetting what is kept is tried again. */
const forgetAgainMs = 10_000

export class LoginLoop {
  readonly #parts: LoginLoopParts
  /** Name → uids of credentials that have gone, and what is kept of them has not yet. */
  readonly #gone = new Map<string, readonly string[]>()

  constructor(parts: LoginLoopParts) {
    this.#parts = parts
  }

  /**
   * The credential with this uid has gone, and what is known of its login is to go too: by the next reconcile of the name,
   * since the one under way may be about to keep it. An API server that deletes it in the moment in which the finalizer is
   * put on tells of that by nothing else.
   */
  forget(name: string, uid: string): void {
    this.#gone.set(name, [...(this.#gone.get(name) ?? []), uid])
  }

  /**
   * @returns milliseconds until the next refresh or verification
   * @throws what a later attempt may not meet
   */
  async reconcile(name: string): Promise<number | NotNow | undefined> {
    const forgotten = await this.#forgetGone(name)
    const again = await this.#reconcile(name)
    if (forgotten || typeof again === 'object') return again
    return Math.min(again ?? forgetAgainMs, forgetAgainMs)
  }

  /** @returns false: it has to be tried again */
  async #forgetGone(name: string): Promise<boolean> {
    const { logins, lastGood, log } = this.#parts
    try {
      for (const uid of this.#gone.get(name) ?? []) {
        logins.forget(uid)
        await lastGood.forget(uid)
      }
      this.#gone.delete(name)
      return true
    } catch (error) {
      if (error instanceof NotLeadingError) throw error
      log.warn('what was kept of a credential that has gone is still there, trying again', { credential: name, error })
      return false
    }
  }

  async #reconcile(name: string): Promise<number | NotNow | undefined> {
    const { caches, logins, issuers, retirement, isFrozen, changed } = this.#parts
    const credential = caches.credentials.get('', name)
    // Without our finalizer it may go at any time, and nobody would end what was issued for it; the watch tells when it is on.
    if (!credential?.finalizers.includes(finalizer)) return undefined
    const state = logins.of(credential.uid)
    if (credential.deleting) {
      if (state.end !== 'due') return undefined
      const again = await retirement.ofAll(credential, state)
      if (again !== undefined) return again
      state.end = 'done'
      changed(name)
      return undefined
    }
    if (isFrozen(credential)) return undefined
    const request = this.#requestOf(credential)
    if (isDue(state, request, moment())) {
      const busy = await issuers.ask(credential.source, () => this.#renew(credential, state, request))
      if (busy) return busy
    }
    await this.#verify(credential, state)
    if (state.current && state.keepAt && state.keepAt <= moment().steady) {
      await this.#keep(credential, state, state.current)
    }
    const busy = await retirement.ofOld(credential, state, request.issuedFor)
    return busy ?? msUntilNext(credential, state)
  }

  #requestOf(credential: Credential): Request {
    const { refreshRequest: request } = credential
    const issuedFor = hashOf(credential, this.#parts.sourceVersion(credential))
    return { issuedFor, request, cause: JSON.stringify([issuedFor, request]) }
  }

  async #renew(credential: Credential, state: LoginState, request: Request): Promise<void> {
    const { issue, asked, changed } = this.#parts
    try {
      const { current } = state
      // Of the login in use, also where another was refused meanwhile: it must go on working.
      state.candidate = toLogin(await issue(credential, current?.handle), credential, request, current)
      asked(credential, 'Succeeded')
      if (state.problem !== undefined) changed(credential.name)
      state.problem = undefined
    } catch (error) {
      if (!this.#parts.signal.aborted) this.#failed(credential, state, request, error)
    }
  }

  #failed(credential: Credential, state: LoginState, { cause }: Request, error: unknown): void {
    const { reporter, log, asked, changed } = this.#parts
    const known = error instanceof SourceProblem ? error : undefined
    const { message } = reporter.problemOf(error)
    const reason = known?.reason ?? 'SourceUnavailable'
    asked(credential, reason)
    // Of what a Secret lacks the watch tells when it is there; of what is wrong elsewhere nothing does.
    const waits = known && (isTerminal(known.reason) || (known.reason === 'SourceNotFound' && !known.retryAfterSeconds))
    const failures = state.problem?.cause === cause ? state.problem.failures + 1 : 1
    const interval = pollIntervalOf(credential)
    const polledMs = interval === undefined ? undefined : Math.min(interval, mendedMs)
    const retryMs = waits ? polledMs : waitAfter(failures, error).waitMs
    const retryAt = retryMs === undefined ? undefined : steadyIn(retryMs)
    if (state.problem?.message !== message) {
      log.warn(message, { credential: credential.name, reason })
      reporter.about(credential, 'Warning', reason, 'ReadSource', message)
    }
    const terminal = known !== undefined && isTerminal(known.reason)
    state.problem = { reason, message, terminal, cause, retryAt, failures }
    changed(credential.name)
  }

  /** Only a clear refusal holds a login back, and only where the credential says so. */
  async #verify(credential: Credential, state: LoginState): Promise<void> {
    const { policy, image } = credential.verify
    if (state.candidate && policy !== 'Enforce') await this.#accept(credential, state, state.candidate)
    const login = state.candidate ?? state.current
    if (login === undefined || isOver(login, moment())) return
    const before = login.check
    if (policy === 'Skip') {
      if (before) this.#replace(credential, state, { ...login, check: undefined })
      return
    }
    let subject = login
    if (isCheckDue(before, image, moment())) {
      const verification = await this.#parts.verify(login.entries, image)
      subject = { ...login, check: checked(verification, image, moment(), Math.random()) }
      this.#tell(credential, before, verification)
      this.#replace(credential, state, subject)
    }
    const isHeldBack = subject.check && isRefusal(subject.check) && !isInUse(subject, state.current)
    if (state.candidate && !isHeldBack) {
      await this.#accept(credential, state, state.candidate)
    }
  }

  /** The same login with another check. */
  #replace(credential: Credential, state: LoginState, login: HeldLogin): void {
    if (state.candidate) {
      state.candidate = login
    } else {
      state.current = login
      state.keepAt = moment().steady
    }
    this.#parts.changed(credential.name)
  }

  #tell(credential: Credential, before: Verification | undefined, { verdict, reason, message }: Verification): void {
    const { reporter, log, verified } = this.#parts
    verified(verdict)
    if (before?.verdict === verdict && before.message === message) return
    const refused = isRefusal({ verdict, reason, message })
    log[refused ? 'warn' : 'info'](message, { credential: credential.name, verdict, reason })
    if (refused) reporter.about(credential, 'Warning', 'VerificationFailed', 'AskRegistry', message)
    else if (verdict === 'Valid' && before && isRefusal(before))
      reporter.about(credential, 'Normal', 'Verified', 'AskRegistry', message)
  }

  /** Kept before it is used: what a restart would not know of must not be in any namespace. */
  async #accept(credential: Credential, state: LoginState, login: HeldLogin): Promise<void> {
    const { reporter, log, changed } = this.#parts
    const { current: previous } = state
    if (state.keepAt || !isSame(previous, login)) await this.#keep(credential, state, login)
    state.current = login
    state.candidate = undefined
    if (!isDeepStrictEqual(previous?.handle, login.handle)) state.retireAt = moment().steady
    if (previous?.source && !isDeepStrictEqual(previous.source, login.source)) state.left = [...state.left, previous]
    if (!isDeepStrictEqual(previous?.entries, login.entries)) {
      const registries = [...login.entries.keys()].sort().join(', ')
      log.info('credentials read', { credential: credential.name, registries })
      const note = `New credentials for ${registries}.`
      if (previous) reporter.about(credential, 'Normal', 'Rotated', 'ReadSource', note)
    }
    changed(credential.name)
  }

  /** What cannot be kept is used all the same. @throws what a later attempt may not meet */
  async #keep(credential: Credential, state: LoginState, login: Login): Promise<void> {
    const { lastGood, log, reporter } = this.#parts
    try {
      await lastGood.keep(credential.uid, login)
      state.keepAt = undefined
    } catch (error) {
      if (!isForbidden(error) && !isInvalid(error)) throw error
      const isTold = state.keepAt !== undefined
      // The right may come back, and nothing tells of that; a Secret that is full stays so for this login.
      state.keepAt = isForbidden(error) ? steadyIn(keepAgainMs) : undefined
      if (isTold) return
      const note = `Should its source be broken when the operator starts, its entries will be lost: they cannot be kept, since ${reporter.problemOf(error).message}`
      log.warn(note, { credential: credential.name })
      reporter.about(credential, 'Warning', 'NotKept', 'KeepEntries', note)
    }
  }
}

function isDue({ current, candidate, problem }: LoginState, { issuedFor, request, cause }: Request, now: Moment) {
  if (problem?.cause === cause) return problem.retryAt !== undefined && problem.retryAt <= now.steady
  const login = candidate ?? current
  if (login === undefined || problem !== undefined || login.issuedFor !== issuedFor) return true
  if (request !== undefined && request !== login.request) return true
  return msUntilRefresh(login, now) <= 0
}

function toLogin(
  { entries, issuedAt, expiresAt, endStays, refreshAfter, handle }: Material,
  credential: Credential,
  { issuedFor, request }: Request,
  current: HeldLogin | undefined,
): HeldLogin {
  const gotAt = moment()
  const now = gotAt.wall
  const same = isDeepStrictEqual(entries, current?.entries) ? current : undefined
  const interval = pollIntervalOf(credential)
  return {
    entries,
    // The same entries are the same login, whatever else of the source changed; but none is of a time to come.
    issuedAt: same && same.issuedAt < now ? same.issuedAt : (issuedAt ?? now),
    expiresAt,
    refreshAt: refreshTime(
      { issuedAt: now, expiresAt: endStays ? undefined : expiresAt, refreshAfter, interval },
      Math.random(),
    ),
    handle,
    source: handle && credential.source,
    issuedFor,
    request,
    check: same?.request === request ? same?.check : undefined, // who asks for a refresh wants to know
    gotAt,
  }
}

/** But for when it was asked for and is again, which is not worth a write. */
function isSame(a: HeldLogin | undefined, b: HeldLogin): boolean {
  const times = { refreshAt: undefined, gotAt: undefined }
  return a !== undefined && isDeepStrictEqual({ ...a, ...times }, { ...b, ...times })
}

/** The namespaces have its entries already. */
function isInUse({ entries }: Login, current: HeldLogin | undefined): boolean {
  return isDeepStrictEqual(entries, entriesInUse(current, moment()))
}

function msUntilNext(
  { verify }: Credential,
  { current, candidate, problem, retireAt, keepAt }: LoginState,
): number | undefined {
  const login = candidate ?? current
  const now = moment()
  const isChecked = login && verify.policy !== 'Skip' && !isOver(login, now)
  // What was to be ended before now waits for namespaces, which tell.
  const steady = [
    isChecked ? login.check?.nextAt : undefined,
    problem?.retryAt,
    current && keepAt,
    retireAt && retireAt > now.steady ? retireAt : undefined,
  ]
  const ms = Math.min(
    problem || !login ? Number.POSITIVE_INFINITY : msUntilRefresh(login, now),
    ...steady.filter((time) => time !== undefined).map((time) => time.getTime() - now.steady.getTime()),
  )
  return ms === Number.POSITIVE_INFINITY ? undefined : Math.max(0, ms)
}
