/**
 * What an issuer gave and nobody uses any more must not stay good there. It is ended when its successor is in all
 * namespaces, and when its credential goes. That it cannot be is told, and keeps no login from being renewed.
 */
import type { NotNow } from '../kube/work-queue.ts'
import type { Credential } from '../model/credential.ts'
import { type Handle, isOver, type Login } from '../model/login.ts'
import type { Logger } from '../telemetry/logger.ts'
import { moment, steadyIn } from './clock.ts'
import type { Issuers } from './issuers.ts'
import type { LoginState } from './logins.ts'
import type { ObservedCredential } from './observe.ts'
import type { Reporter } from './reporter.ts'

export interface RetirementParts {
  issuers: Issuers
  reporter: Reporter
  log: Logger
  /** Ends at the issuer what was issued until `last`, but for `keep`. */
  retire(credential: Credential, last: Handle, keep: Handle | undefined): Promise<void>
  /** Whether the login in use has taken the place of all before it. */
  isRolledOut(credential: Credential): boolean
  /** Aborted: the operator ends, and what fails now fails for that. */
  signal: AbortSignal
}

/** Milliseconds between attempts while the credential lives, and when it goes. */
const retryMs = 5 * 60_000
const endRetryMs = 30_000
/** Milliseconds for which the issuer of a credential that goes is asked; a restart, which is rare, begins anew. */
const giveUpMs = 10 * 60_000

export class Retirement {
  readonly #parts: RetirementParts

  constructor(parts: RetirementParts) {
    this.#parts = parts
  }

  /**
   * Ends what was issued before the login in use.
   * @param issuedFor what a login would be asked for with now: another issuer knows nothing of the login in use
   */
  async ofOld(credential: Credential, state: LoginState, issuedFor: string): Promise<NotNow | undefined> {
    const { current, candidate, retireAt } = state
    const now = moment()
    if (retireAt === undefined || retireAt > now.steady || candidate) return undefined
    if (current?.issuedFor !== issuedFor || !this.#parts.isRolledOut(credential)) return undefined
    const left = state.left.filter((login) => !isOver(login, now))
    try {
      const busy = await this.#end(credential, [...left, current], current.handle)
      if (busy) return busy
      state.left = []
      state.retireAt = undefined
    } catch (error) {
      state.retireAt = steadyIn(retryMs)
      this.#tell(credential, error, true)
    }
    return undefined
  }

  /**
   * Ends all that was issued for a credential that is nowhere in use any more. An issuer that is gone does not hold it.
   * @returns when to try again; undefined: it is done, or given up
   */
  async ofAll(credential: ObservedCredential, state: LoginState): Promise<number | NotNow | undefined> {
    if (credential.deletionPolicy === 'Orphan') return undefined
    const { left, current, candidate } = state
    const logins = [...left, current, candidate].filter((login) => login !== undefined)
    state.giveUpAt ??= steadyIn(giveUpMs)
    const leftMs = state.giveUpAt.getTime() - moment().steady.getTime()
    try {
      const busy = await this.#end(credential, logins, undefined)
      if (busy && leftMs > 0) return busy
      if (busy) throw new Error('too many others ask it.')
    } catch (error) {
      this.#tell(credential, error, leftMs <= 0)
      if (leftMs > 0) return Math.min(endRetryMs, leftMs)
    }
    return undefined
  }

  /** Of logins from one source the last tells of those before. */
  async #end(credential: Credential, logins: readonly Login[], keep: Handle | undefined): Promise<NotNow | undefined> {
    const lasts = new Map(logins.map((login) => [JSON.stringify(login.source), login]))
    const failures: unknown[] = []
    for (const { handle, source = credential.source } of lasts.values()) {
      if (handle === undefined) continue
      try {
        const busy = await this.#parts.issuers.ask(source, () =>
          this.#parts.retire({ ...credential, source }, handle, keep),
        )
        if (busy) return busy
      } catch (error) {
        failures.push(error) // the others know nothing of it
      }
    }
    if (failures.length > 0) throw failures[0]
    return undefined
  }

  #tell(credential: Credential, error: unknown, needsHelp: boolean): void {
    const { reporter, log, signal } = this.#parts
    if (signal.aborted) return
    const note = `The issuer does not end logins that are not used any more; revoke them there: ${reporter.problemOf(error).message}`
    log.warn(note, { credential: credential.name })
    if (needsHelp) reporter.about(credential, 'Warning', 'NotRevoked', 'Retire', note)
  }
}
