/** The operator of the life-cycle tests: it may write two Secret names, and is there or away when something happens. */
import type { OperatorOptions } from '../cluster/operator.ts'
import { LifeCycleLab } from './life-cycle-lab.ts'
import { allowSecretName } from './life-cycle-objects.ts'
import { Restarts } from './restarts.ts'

export interface TwoNames {
  lab: LifeCycleLab
  operator: Restarts
  /** The Secret name that the operator may write beside `regcred`. */
  other: string
}

export async function startWithTwoNames(): Promise<TwoNames> {
  const lab = new LifeCycleLab()
  const other = lab.unique('other')
  await allowSecretName(lab, other)
  const operator = new Restarts(allow('regcred', other))
  await operator.start()
  return { lab, operator, other }
}

/** An operator that may write these names. */
export function allow(...secretNames: string[]): OperatorOptions {
  return { args: secretNames.map((name) => `--secret-name=${name}`) }
}

/** For `describe.each`: a title, a word for names, and how to do something in that way. */
export function bothWays(
  operator: () => Restarts,
): [title: string, mode: 'up' | 'down', during: (work: () => Promise<void>) => Promise<void>][] {
  return [
    ['seen as it happens', 'up', (work) => work()],
    ['found at the start', 'down', (work) => operator().whileDown(work)],
  ]
}
