/**
 * One term of leadership. It ends when the lease is lost, or when this process is told to stop; the difference is what
 * becomes of work under way, since nobody else may lead while the lease is ours.
 */

export interface Term {
  /** Aborted when the term ends, for whatever reason: nothing new may begin. */
  readonly leading: AbortSignal
  /** Aborted with a LeaseLostError when the lease is lost: what is under way must not go on either. */
  readonly lost: AbortSignal
  /**
   * Ends the term if its time is over. In a process that was frozen or busy timers are late, and answers that lead to the
   * next write may come before them.
   */
  check(): void
}

/** What was asked for must not be done, since this process does not lead any more. No failure: the next leader does it. */
export class NotLeadingError extends Error {
  override readonly name: string = 'NotLeadingError'

  constructor(message = 'this process does not lead any more') {
    super(message)
  }
}

export class LeaseLostError extends NotLeadingError {
  override readonly name = 'LeaseLostError'

  constructor() {
    super('the lease was lost')
  }
}

/** A term that lasts only as long as the lease is renewed. */
export class LeaseTerm implements Term {
  readonly #leading = new AbortController()
  readonly #lost = new AbortController()
  readonly #deadlineMs: number
  /** In ms of performance.now(). */
  #until = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * @param since start of the attempt that got the lease, in ms of performance.now()
   * @param deadlineSeconds how long it lasts without a renewal
   */
  constructor(since: number, deadlineSeconds: number) {
    this.#deadlineMs = deadlineSeconds * 1000
    this.renewed(since)
  }

  get leading(): AbortSignal {
    return this.#leading.signal
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  check(): void {
    if (performance.now() >= this.#until) this.lose()
  }

  /** @param start of the attempt that has succeeded, in ms of performance.now() */
  renewed(start: number): void {
    this.#until = start + this.#deadlineMs
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.lose(), Math.max(this.#until - performance.now(), 0))
  }

  lose(): void {
    clearTimeout(this.#timer)
    const reason = new LeaseLostError()
    this.#lost.abort(reason)
    this.#leading.abort(reason)
  }

  /** Told to stop: the lease is still renewed until what is under way has ended. */
  stop(reason: unknown): void {
    this.#leading.abort(reason)
  }

  /** The work has ended; the lease is not needed any more. */
  close(): void {
    clearTimeout(this.#timer)
  }
}
