/** The guard of the operator's own writes, and the admission policies that some installations have. */
import { policies as expected } from './expected.ts'
import { type Check, type Facts, hidden, install, type Policies } from './facts.ts'
import { type MatchResources, namesVariable, type PolicySpec, policyFingerprint } from './fingerprint.ts'

const guards = ['guard-secrets.regcred.dev', 'guard-serviceaccounts.regcred.dev']
const admission = ['serviceaccounts.regcred.dev', 'pods.regcred.dev']
const oldestMinor = 36

export function guardCheck(facts: Facts): Check {
  const name = 'guard'
  const { validating } = facts
  if (validating.state === 'forbidden') return hidden(name, 'ValidatingAdmissionPolicies')
  const found: Policies = validating.state === 'read' ? validating.value : { policies: [], bindings: [] }
  const problem = problemOf(guards, found, facts)
  if (problem) return { name, level: 'error', message: problem, cure: install }
  return { name, level: 'ok', message: 'config/guard is there, bound, and of this version' }
}

export function admissionCheck(facts: Facts): Check {
  const name = 'admission policies'
  const { mutating, server, credentials } = facts
  if (mutating.state === 'forbidden') return hidden(name, 'MutatingAdmissionPolicies')
  const found: Policies = mutating.state === 'read' ? mutating.value : { policies: [], bindings: [] }
  const cure = 'Add the component config/admission (Helm: admissionPolicies.enabled): docs/how-to/admission.md'
  if (!found.policies.some(({ metadata }) => admission.includes(metadata.name))) {
    const asking =
      credentials.state === 'read' ? credentials.value.filter(({ spec }) => spec.pods === 'AddToOwnList') : []
    const isServed = Number.parseInt(server.minor, 10) >= oldestMinor
    const how = isServed ? cure : `They need Kubernetes 1.${oldestMinor} or newer`
    if (asking.length === 0)
      return {
        name,
        level: 'ok',
        message: `not installed, which is fine; ${isServed ? 'they are recommended (docs/how-to/admission.md)' : how}`,
      }
    const message = `not installed, so spec.pods AddToOwnList of ${asking.map(({ metadata }) => metadata.name).join(', ')} has no effect`
    return { name, level: 'error', message, cure: how }
  }
  const problem = problemOf(admission, found, facts)
  if (problem) return { name, level: 'error', message: problem, cure: `${cure}; and apply it anew` }
  return { name, level: 'ok', message: 'config/admission is there, bound, and of this version' }
}

function problemOf(
  names: readonly string[],
  { policies, bindings }: Policies,
  { secretNames }: Facts,
): string | undefined {
  for (const name of names) {
    const policy = policies.find(({ metadata }) => metadata.name === name)
    if (policy === undefined) return `${name} is not there`
    const binding = bindings.find(({ spec }) => spec.policyName === name)
    if (binding === undefined) return `${name} has no binding, and so does nothing`
    const { validationActions, matchResources } = binding.spec
    if (validationActions && !validationActions.includes('Deny')) return `the binding of ${name} does not deny`
    if (letsPast(policy.spec.matchConstraints) || letsPast(matchResources) || matchResources?.resourceRules?.length) {
      return `${name}, or its binding, does not look at all requests that it is for`
    }
    if (policyFingerprint(policy.spec) !== expected[name]) return `${name} is of another version than this plugin`
    const allowed = allowedBy(policy.spec)
    const missing = allowed && secretNames.filter((each) => !allowed.includes(each))
    if (missing && missing.length > 0) return `${name} does not know the Secret names ${missing.join(', ')}`
  }
  return undefined
}

/** Those of config/ let nothing past; the API server fills in selectors that select everything. */
export function letsPast({
  excludeResourceRules = [],
  namespaceSelector = {},
  objectSelector = {},
}: MatchResources = {}): boolean {
  const selectors = [namespaceSelector, objectSelector]
  return excludeResourceRules.length > 0 || selectors.some((each) => Object.keys(each).length > 0)
}

/** `['regcred', 'regcred-ci']`; undefined where the policy has no such variable. */
function allowedBy({ variables = [] }: PolicySpec): string[] | undefined {
  const expression = variables.find(({ name }) => name === namesVariable)?.expression
  return expression === undefined ? undefined : [...expression.matchAll(/'([^']*)'/g)].map(([, name = '']) => name)
}
