/** The policy for trusted registries, where it is installed: whether it and its list are there to tell images apart. */
import { trustedLabel } from '../../api/names.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { firstOf } from '../../model/first-of.ts'
import { whatWasRead } from '../reads.ts'
import { idleLines, lineRule } from '../trusted-list.ts'
import { policies as expected, trustedBindings as installed } from './expected.ts'
import { type Check, type Facts, hidden, type Policies } from './facts.ts'
import { bindingFingerprint, policyFingerprint } from './fingerprint.ts'
import { letsPast } from './policy-checks.ts'

const policyName = 'trusted-registries.regcred.dev'
const name = 'trusted registries'
const apply =
  'kubectl apply --server-side -k config/policies/trusted-registries, with your list (by Helm: trustedRegistries)'

const modes = ['audit', 'warn', 'deny']
const namesOf = (names: readonly string[]) => firstOf(names, 5)
const modeOf = ({ labels }: KubeObject['metadata']) => labels?.[trustedLabel] ?? ''

/** The bindings of that policy, which name the list. */
export function trustedBindings({ bindings }: Policies): Policies['bindings'] {
  return bindings.filter(({ spec }) => spec.policyName === policyName)
}

/** None where the policy is not installed and no namespace asks for it: most do without. */
export function trustedChecks({ validating, trustedLists, trusting }: Facts): Check[] {
  if (validating.state !== 'read') return [] // the guard tells
  const policy = validating.value.policies.find(({ metadata }) => metadata.name === policyName)
  const asking = (whatWasRead(trusting) ?? []).map(({ metadata }) => metadata)
  if (policy === undefined) {
    if (asking.length === 0) return []
    const message = `${policyName} is not there, so the label ${trustedLabel} has no effect: ${namesOf(asking.map((each) => each.name))}`
    return [{ name, level: 'warning', message, cure: `${apply}, or take the label off` }]
  }
  const faults: Check[] = trustedLists.flatMap(({ namespace, name: list, bindings, lines }): Check[] => {
    const where = `ConfigMap ${namespace}/${list}`
    if (lines.state === 'forbidden') return [hidden(name, where)]
    if (lines.state === 'missing') {
      const message = `there is no ${where}, for ${bindings.join(', ')}: where images are to be denied, all are, and elsewhere nothing is told`
      return [{ name, level: 'error', message, cure: `${apply}, or name the right namespace in the bindings` }]
    }
    if (lines.value.length === 0) {
      return [{ name, level: 'warning', message: `${where} lists none, so no image is trusted`, cure: apply }]
    }
    const idle = idleLines(lines.value)
    return idle === undefined ? [] : [{ name, level: 'warning', message: `${where} ${idle}`, cure: lineRule }]
  })
  const typos = asking.filter((each) => !modes.includes(modeOf(each)))
  if (typos.length > 0) {
    const named = namesOf(typos.map((each) => `${each.name} (${modeOf(each)})`))
    const message = `the label ${trustedLabel} has a value that is no mode, and counts as deny: ${named}`
    faults.push({ name, level: 'warning', message, cure: `Set it to one of ${modes.join(', ')}` })
  }
  if (trustedBindings(validating.value).length === 0) {
    faults.push({ name, level: 'warning', message: `${policyName} has no binding, and so does nothing`, cure: apply })
  } else faults.push(...changedBindings(validating.value))
  if (letsPast(policy.spec.matchConstraints)) {
    const message = `${policyName} does not look at all requests that it is for`
    faults.push({ name, level: 'error', message, cure: apply })
  }
  if (policyFingerprint(policy.spec) !== expected[policyName]) {
    const message = `${policyName} is of another version than this plugin`
    faults.push({ name, level: 'warning', message, cure: apply })
  }
  const message = 'config/policies/trusted-registries is there, bound, and of this version; its list is there, too'
  return faults.length > 0 ? faults : [{ name, level: 'ok', message }]
}

/** Those of config/, without which a mode is another than people take it for. There may be others beside them. */
function changedBindings({ bindings }: Policies): Check[] {
  const changed = Object.entries(installed).filter(([each, fingerprint]) => {
    const binding = bindings.find(({ metadata }) => metadata.name === each)
    return binding === undefined || bindingFingerprint(binding.spec) !== fingerprint
  })
  if (changed.length === 0) return []
  const message = `not there, or not as they are installed: the bindings ${changed.map(([each]) => each).join(', ')}`
  return [{ name, level: 'warning', message, cure: `${apply}, where that is not meant` }]
}
