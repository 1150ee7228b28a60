/** What the operator says of the credentials. */
import type { RegistryCredential } from '../../api/registry-credential.ts'
import { firstOf } from '../../model/first-of.ts'
import { conditionOf } from '../credentials.ts'
import { type Check, type Facts, hidden } from './facts.ts'

/** Names that a line shows. */
const maxNamed = 5

export function credentialChecks({ credentials, secretNames }: Facts): Check[] {
  if (credentials.state === 'forbidden') return [hidden('credentials', 'RegistryCredentials')]
  if (credentials.state === 'missing') return []
  const all = credentials.value
  return [
    readyCheck(all),
    secretNamesCheck(all, secretNames),
    ...told(
      'unverified',
      all,
      'warning',
      (each) => messageOf(each, 'Verified', 'False'),
      'kubectl regcred verify NAME',
    ),
    ...told(
      'refresh',
      all,
      'warning',
      (each) => messageOf(each, 'RefreshFailing', 'True'),
      'kubectl regcred status NAME -o wide',
    ),
    contendedCheck(all),
    foreignCheck(all),
    ...told(
      'stuck pods',
      all,
      'warning',
      stuckPods,
      'kubectl get events -A --field-selector involvedObject.kind=Pod,reportingComponent=regcred.dev/operator',
    ),
  ]
}

function readyCheck(all: readonly RegistryCredential[]): Check {
  const name = 'credentials'
  const unseen = all.filter(({ status, metadata }) => status?.observedGeneration !== metadata.generation)
  if (unseen.length > 0) {
    const cure = 'See to the operator (Deployment, leader), or wait a moment where they were just changed'
    return { name, level: 'error', message: `the operator has not looked at ${namesOf(unseen)} as they are now`, cure }
  }
  const bad = all.filter((each) => !each.spec.suspend && conditionOf(each, 'Ready')?.status !== 'True')
  const suspended = all.filter(({ spec }) => spec.suspend)
  if (bad.length > 0) {
    const reasons = bad.map((each) => {
      const ready = conditionOf(each, 'Ready')
      return `${each.metadata.name} (${ready?.reason}: ${ready?.message})`
    })
    return {
      name,
      level: 'error',
      message: `not ready: ${firstOf(reasons, maxNamed)}`,
      cure: 'kubectl regcred status -o wide',
    }
  }
  if (suspended.length > 0) {
    const cure = 'Set spec.suspend to false, and their logins are renewed again'
    return { name, level: 'warning', message: `suspended: ${namesOf(suspended)}`, cure }
  }
  return { name, level: 'ok', message: all.length === 0 ? 'there are none yet' : `${all.length}, all ready` }
}

function secretNamesCheck(all: readonly RegistryCredential[], allowed: readonly string[]): Check {
  const name = 'Secret names'
  const others = all.filter(({ spec }) => !allowed.includes(spec.secretName))
  if (others.length === 0) return { name, level: 'ok', message: `${allowed.join(', ')}` }
  const used = others.map(({ metadata, spec }) => `${spec.secretName} (${metadata.name})`).join(', ')
  const cure = 'Add the names by config/secret-names (Helm: secretNames), or use others in spec.secretName'
  return { name, level: 'error', message: `the installation may write ${allowed.join(', ')}, and not ${used}`, cure }
}

function contendedCheck(all: readonly RegistryCredential[]): Check {
  const name = 'contended objects'
  const contended = all.filter((each) => conditionOf(each, 'Contended')?.status === 'True')
  const [first] = contended
  if (first === undefined) return { name, level: 'ok', message: 'nobody undoes what the operator writes' }
  const message = `${namesOf(contended)}: ${conditionOf(first, 'Contended')?.message}`
  return { name, level: 'error', message, cure: 'docs/how-to/gitops.md: what to do about ServiceAccounts in Git' }
}

function foreignCheck(all: readonly RegistryCredential[]): Check {
  const name = 'foreign Secrets'
  const failures = all.flatMap(({ spec, status }) =>
    (status?.failures ?? [])
      .filter(({ reason }) => reason === 'NotOwned')
      .map(({ namespace }) => `${namespace}/${spec.secretName}`),
  )
  const places = [...new Set(failures)].sort()
  if (places.length === 0) return { name, level: 'ok', message: 'none is in the way' }
  const cure = `Delete them, or hand them over: kubectl annotate secret NAME -n NAMESPACE regcred.dev/adopt=true`
  return {
    name,
    level: 'error',
    message: `Secrets that the operator did not make are in the way: ${firstOf(places, maxNamed)}`,
    cure,
  }
}

/** A line where something is to be told of some, and none where not. */
function told(
  name: string,
  all: readonly RegistryCredential[],
  level: Check['level'],
  what: (credential: RegistryCredential) => string | undefined,
  cure: string,
): Check[] {
  const found = all.flatMap((each) => {
    const message = what(each)
    return message === undefined ? [] : [`${each.metadata.name}: ${message}`]
  })
  if (found.length === 0) return []
  const more = found.length > maxNamed ? `; and ${found.length - maxNamed} more` : ''
  return [{ name, level, message: `${found.slice(0, maxNamed).join('; ')}${more}`, cure }]
}

function messageOf(credential: RegistryCredential, type: string, status: string): string | undefined {
  const condition = conditionOf(credential, type)
  return condition?.status === status ? condition.message : undefined
}

function stuckPods({ status }: RegistryCredential): string | undefined {
  const stuck = status?.pods?.stuck ?? 0
  return stuck === 0 ? undefined : `${stuck} pod${stuck === 1 ? '' : 's'} cannot pull`
}

function namesOf(credentials: readonly RegistryCredential[]): string {
  return firstOf(
    credentials.map(({ metadata }) => metadata.name),
    maxNamed,
  )
}
