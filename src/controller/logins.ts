/** What is known of the login of every credential now. Written by the login loop; the credential loop goes by it. */
import { hold } from '../model/kept-login.ts'
import type { HeldLogin, Login } from '../model/login.ts'
import type { Problem } from '../model/outcome.ts'
import { moment } from './clock.ts'

export interface LoginState {
  /** In use. */
  current: HeldLogin | undefined
  /** Given by the source, but refused by the registry. */
  candidate: HeldLogin | undefined
  problem: LoginProblem | undefined
  /** `current` is not kept as it is now: from when on, by the steady clock, that is to be tried. Undefined: it is kept. */
  keepAt: Date | undefined
  /** Had from other sources before `current`; to be ended there as well. */
  left: readonly HeldLogin[]
  /**
   * From when on, by the steady clock, the issuer is to end what it gave before, once `current` is rolled out. Undefined:
   * nothing to end.
   */
  retireAt: Date | undefined
  /** Of one whose credential is being deleted: `due` when it is nowhere in use any more, `done` when the issuer knows. */
  end: 'due' | 'done' | undefined
  /** Until when, by the steady clock, the issuer of one that goes is asked. Undefined: it has not been asked yet. */
  giveUpAt: Date | undefined
}

export interface LoginProblem extends Problem {
  /** Only a change by the credential's owner can mend it. */
  terminal: boolean
  /** What was asked for with: until that changes or `retryAt`, asking again is of no use. */
  cause: string
  /** By the steady clock. Undefined: nothing but a change is waited for. */
  retryAt: Date | undefined
  /** In a row, with the same cause. */
  failures: number
}

const nothing: LoginState = {
  current: undefined,
  candidate: undefined,
  problem: undefined,
  keepAt: undefined,
  left: [],
  retireAt: undefined,
  end: undefined,
  giveUpAt: undefined,
}

export class Logins {
  /** By the uid of the credential. */
  readonly #states = new Map<string, LoginState>()

  of(uid: string): LoginState {
    let state = this.#states.get(uid)
    if (state === undefined) {
      state = { ...nothing }
      this.#states.set(uid, state)
    }
    return state
  }

  /**
   * What was kept of a run before; leftovers of it at the issuer are to be ended.
   * @param interval milliseconds between refreshes; undefined: its source is watched
   */
  introduce(uid: string, kept: Login | undefined, interval: number | undefined): void {
    const now = moment()
    Object.assign(this.of(uid), { current: kept && hold(kept, interval, now), retireAt: kept?.handle && now.steady })
  }

  forget(uid: string): void {
    this.#states.delete(uid)
  }
}
