/** What older versions of Kubernetes do not serve: its tests are skipped there, and their names tell why. */
import { test } from '@jest/globals'
import { KUBERNETES_VERSION } from './versions.ts'

const minor = Number(KUBERNETES_VERSION.split('.')[1])
/** GA since 1.36 (KEP-3962). */
export const hasMutatingPolicies: boolean = minor >= 36

export const testWithMutatingPolicies: typeof test = hasMutatingPolicies
  ? test
  : skipped(`Kubernetes ${KUBERNETES_VERSION} has no MutatingAdmissionPolicy`)

/** Whether objects of this kind can be made. */
export function isServed({ kind }: { kind: string }): boolean {
  return hasMutatingPolicies || !kind.startsWith('MutatingAdmissionPolicy')
}

/** The kinds of policies that there are, as kubectl takes them. */
export const policyKinds = `validatingadmissionpolicy${hasMutatingPolicies ? ',mutatingadmissionpolicy' : ''}`

function skipped(reason: string): typeof test {
  const named = (name: string): string => `${name} (${reason})`
  const skip = (name: string, run: () => Promise<void>): void => test.skip(named(name), run)
  const each = (table: readonly unknown[]) => (name: string, run: () => Promise<void>) =>
    test.skip.each(table)(named(name), run)
  return Object.assign(skip, { each }) as unknown as typeof test
}
