/** A credential that is in all namespaces, and the operator at work. */
import type { RunningOperator } from '../test/cluster/operator.ts'
import type { NodeSettings, Stage } from './stage.ts'

export interface Rollout {
  operator: RunningOperator
  /** The source Secret of the credential. */
  source: string
}

/** All of the stage, and those that are made while it is measured. */
export const everywhere = { include: ['bench-*'], optIn: true }

/** Does the work while a credential is rolled out, and takes all away again. */
export async function whileRolledOut<T>(
  stage: Stage,
  work: (rollout: Rollout) => Promise<T>,
  added?: NodeSettings,
): Promise<T> {
  const { lab } = stage
  const source = await lab.source('bench', login(1))
  const { operator } = await stage.startOperator(added)
  await settled(stage, () =>
    lab.credential('bench', { source: { secretRef: { name: source } }, namespaces: everywhere }),
  )
  const result = await work({ operator, source })
  await settled(stage, () => lab.deleteCredential(lab.unique('bench')))
  await operator.stop()
  await deleteSource(stage, source)
  return result
}

/** Waits until the operator has done what this leads to. */
export async function settled(stage: Stage, cause: () => Promise<unknown>): Promise<void> {
  const log = stage.follow()
  await cause()
  await log.untilQuiet()
}

export async function deleteSource({ lab }: Stage, name: string): Promise<void> {
  await lab.client.delete(`/api/v1/namespaces/regcred-system/secrets/${name}`)
}

export function login(version: number) {
  return { 'ghcr.io': { username: 'bench', password: `bench-password-${version}` } }
}
