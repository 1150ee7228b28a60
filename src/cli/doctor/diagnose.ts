/** All checks, in the order in which one thing hangs on another. */
import { clockChecks, crdCheck, serverCheck } from './cluster-checks.ts'
import { credentialChecks } from './credential-checks.ts'
import type { Check, Facts } from './facts.ts'
import { deploymentCheck, leaderCheck, rightsCheck, watchesCheck } from './operator-checks.ts'
import { admissionCheck, guardCheck } from './policy-checks.ts'
import { trustedChecks } from './trusted-check.ts'

export function diagnose(facts: Facts): Check[] {
  return [
    serverCheck(facts),
    crdCheck(facts),
    deploymentCheck(facts),
    ...watchesCheck(facts),
    leaderCheck(facts),
    ...clockChecks(facts),
    rightsCheck(facts),
    guardCheck(facts),
    admissionCheck(facts),
    ...trustedChecks(facts),
    ...credentialChecks(facts),
  ]
}
