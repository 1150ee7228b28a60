/** What the operator says of a fault while it lasts. */
import { expect } from '@jest/globals'
import type { RunningOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'

/** `/readyz?verbose`: the status is not asked for, as it is not to change within two minutes. */
export async function readiness({ healthUrl }: RunningOperator): Promise<string> {
  return (await fetch(`${healthUrl}/readyz?verbose`)).text()
}

/** Waits until readiness and metrics tell of what is wrong. */
export async function tells(operator: RunningOperator, note: RegExp, metric: RegExp): Promise<void> {
  await eventually(async () => expect(await readiness(operator)).toMatch(note), { describe: 'a note in /readyz' })
  await eventually(async () => expect(await operator.metrics()).toMatch(metric), { describe: 'the metric of it' })
}

/** The fault is over: waits until there is nothing to be told any more. */
export async function tellsOfNothing(operator: RunningOperator): Promise<void> {
  const wellAgain = '[+]caches ok\n[+]api-server ok\nreadyz check passed\n'
  const timeoutMs = 180_000 // what fails may rest for a minute, and was not asked since
  await eventually(async () => expect(await readiness(operator)).toBe(wellAgain), { timeoutMs })
}
