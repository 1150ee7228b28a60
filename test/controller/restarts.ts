/** An operator that a test file stops and starts again, to see what it makes of what has happened in between. */
import { expect } from '@jest/globals'
import { type OperatorOptions, type RunningOperator, startOperator } from '../cluster/operator.ts'

/**
 * Timeout of a test in which the operator is down for a while: the operator of another test file may have started by
 * then, and ours has to wait for its end.
 */
export const RESTART_TIMEOUT_MS = 900_000

export class Restarts {
  #options: OperatorOptions
  #operator: RunningOperator | undefined

  constructor(options: OperatorOptions = {}) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#operator = await startOperator(this.#options)
  }

  /** Text of `/metrics` of the one that runs now. */
  async metrics(): Promise<string> {
    return (await this.#operator?.metrics()) ?? ''
  }

  async stop(): Promise<void> {
    expect(await this.#operator?.stop()).toBe(0)
  }

  /** Does this while no operator is running; the next one may be started with other options. */
  async whileDown(work: () => Promise<void>, options = this.#options): Promise<void> {
    await this.stop()
    await work()
    this.#options = options
    await this.start()
  }
}
