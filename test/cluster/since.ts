/** `test`, for what older versions of Kubernetes do not have: there the test is skipped, and its name tells why. */
import { test } from '@jest/globals'
import { KUBERNETES_VERSION } from './versions.ts'

const minor = Number(KUBERNETES_VERSION.split('.')[1])

/** MutatingAdmissionPolicy is served by default since 1.36 (KEP-3962). */
export const testWithMutatingPolicies: typeof test = since(36, 'MutatingAdmissionPolicy')

function since(first: number, feature: string): typeof test {
  if (minor >= first) return test
  const named = (name: string): string => `${name} (Kubernetes ${KUBERNETES_VERSION} has no ${feature})`
  const skipped = (name: string, run: () => Promise<void>): void => test.skip(named(name), run)
  const each = (table: readonly unknown[]) => (name: string, run: () => Promise<void>) =>
    test.skip.each(table)(named(name), run)
  return Object.assign(skipped, { each }) as unknown as typeof test
}
