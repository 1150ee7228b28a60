/**
 * Why the login of a credential that is for an image does not reach the pod: the first thing on the way from the source to
 * the kubelet that is not as it has to be. Each has what mends it.
 */
import { adoptAnnotation, optOutKey } from '../../api/names.ts'
import type { ObservedCredential } from '../../controller/observe.ts'
import type { ObservedServiceAccount } from '../../model/observed.ts'
import { selectsServiceAccount } from '../../model/selection.ts'
import { othersOf, verdictOf } from '../../model/stuck-pod.ts'
import { selectionReason } from '../selection-reason.ts'
import { caseOf } from './case.ts'
import { type Facts, pullSecretsOf } from './facts.ts'

export interface Obstacle {
  /** A sentence. */
  because: string
  /** A sentence or a command. */
  cure: string | undefined
}

/** @param image normalised name without tag @returns undefined: nothing is in the way, as far as can be told */
export function obstacleOf(credential: ObservedCredential, image: string, facts: Facts): Obstacle | undefined {
  const steps = [ofSelection, ofLogin, ofSecret, ofServiceAccount, ofReference]
  for (const step of steps) {
    const obstacle = step(credential, facts)
    if (obstacle) return obstacle
  }
  return ofPod(credential, image, facts)
}

function ofSelection(credential: ObservedCredential, { namespace }: Facts): Obstacle | undefined {
  if (namespace === undefined) return undefined
  const { selected, because, cure } = selectionReason(credential, namespace)
  if (selected) return undefined
  const to = cure && `To have it selected, ${cure}`
  return { because: `Namespace ${namespace.name} ${because} (RegistryCredential ${credential.name}).`, cure: to }
}

function ofLogin({ name, status }: ObservedCredential): Obstacle | undefined {
  if (status?.credential !== undefined) return undefined
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const why = ready ? `: ${ready.message}` : '; the operator has not looked at it yet'
  return { because: `RegistryCredential ${name} has no login${why}`, cure: `kubectl regcred status ${name} -o wide` }
}

function ofSecret({ name, secretName, status, suspended }: ObservedCredential, facts: Facts): Obstacle | undefined {
  const { namespace } = facts.subject
  const failure = status?.failures?.find((each) => each.namespace === namespace)
  const copy = facts.secrets.get(secretName)
  if (copy?.state === 'read' && !copy.secret.ours) {
    return {
      because: `Secret ${secretName} in namespace ${namespace} was not made by the operator, which leaves it alone (NotOwned).`,
      cure: `Delete it, or hand it over: kubectl annotate secret ${secretName} -n ${namespace} ${adoptAnnotation}=true`,
    }
  }
  if (copy?.state === 'missing') {
    const why = suspended ? `RegistryCredential ${name} is suspended (spec.suspend).` : failure?.message
    return {
      because: `Secret ${secretName} is not in namespace ${namespace} yet. ${why ?? ''}`.trim(),
      cure: suspended
        ? `Set spec.suspend of ${name} to false`
        : `kubectl regcred doctor, if it does not come within seconds`,
    }
  }
  return undefined
}

function ofServiceAccount(credential: ObservedCredential, facts: Facts): Obstacle | undefined {
  const { serviceAccount, subject } = facts
  if (namesItself(credential, facts)) return undefined
  const where = `ServiceAccount ${subject.serviceAccount} in namespace ${subject.namespace}`
  if (serviceAccount.state === 'missing') {
    const cure = `kubectl create serviceaccount ${subject.serviceAccount} -n ${subject.namespace}`
    return { because: `${where} is not there.`, cure }
  }
  if (serviceAccount.state === 'forbidden') return undefined
  if (serviceAccount.value.optedOut) {
    const cure = `kubectl annotate serviceaccount ${subject.serviceAccount} -n ${subject.namespace} ${optOutKey}-`
    return { because: `${where} opts out by its annotation ${optOutKey}=true.`, cure }
  }
  if (selectsServiceAccount(credential, serviceAccount.value)) return undefined
  const because = `${where} is not among spec.serviceAccounts of RegistryCredential ${credential.name}.`
  return {
    because,
    cure: `Add ${subject.serviceAccount} to spec.serviceAccounts, or name ${ownEntry(credential, facts)}`,
  }
}

function ofReference(credential: ObservedCredential, facts: Facts): Obstacle | undefined {
  const { serviceAccount, subject } = facts
  if (serviceAccount.state !== 'read' || namesItself(credential, facts)) return undefined
  const { secretName } = credential
  if (serviceAccount.value.pullSecrets.includes(secretName)) return undefined
  const where = `ServiceAccount ${subject.serviceAccount}`
  if (serviceAccount.value.tooMany) {
    const because = `${where} has more imagePullSecrets than the operator handles, and gets no more.`
    return { because, cure: 'Take some of them off' }
  }
  const removed = `${where} does not name Secret ${secretName} any more: the operator had added it, and it was taken off`
  const by = managerOf(serviceAccount.value)
  if (!serviceAccount.value.managed.includes(secretName)) {
    const because = `${where} does not name Secret ${secretName} yet${by && `; its list was last written by ${by}`}.`
    return { because, cure: 'kubectl regcred doctor, if it does not come within seconds' }
  }
  const cure =
    'Leave imagePullSecrets out of the manifest of the ServiceAccount; docs/how-to/gitops.md has the ways for Argo CD and Flux'
  const isContended = credential.status?.conditions?.some(
    ({ type, status }) => type === 'Contended' && status === 'True',
  )
  const rarely = isContended
    ? ' It is undone again and again, so the operator repairs it ever more rarely (Contended).'
    : ''
  return { because: `${removed}${by && ` by ${by}`}.${rarely}`, cure }
}

function managerOf({ listManager }: ObservedServiceAccount): string {
  return listManager === undefined ? '' : `field manager ${listManager}`
}

function ofPod(credential: ObservedCredential, image: string, facts: Facts): Obstacle | undefined {
  const list = pullSecretsOf(facts)
  const { subject } = facts
  const { secretName } = credential
  if (list === undefined || list.includes(secretName)) return undefined
  if (subject.pod === undefined) {
    if (credential.pods === 'AddToOwnList') return undefined // the admission policies do it, where there are any
    const because = `${subject.name} has imagePullSecrets of its own, so its pods get none from ServiceAccount ${subject.serviceAccount}.`
    return { because, cure: nameInTemplate(credential, facts) }
  }
  const stuck = caseOf(credential, image, facts)
  if (stuck === undefined) return undefined
  if (verdictOf(stuck) === 'OwnList') {
    const others = othersOf(stuck.pod, secretName).join(', ')
    const because = `The pod has imagePullSecrets of its own (${others}), and so got none from ServiceAccount ${subject.serviceAccount}.`
    return { because, cure: `Name ${ownEntry(credential, facts)}, and make the pod anew` }
  }
  const because = `The pod was made before ServiceAccount ${subject.serviceAccount} named Secret ${secretName}, and keeps the list that it was made with.`
  return { because, cure: newPod(facts) }
}

/** A list of a pod's spec is merged by the names in it, so this adds one. */
function nameInTemplate(credential: ObservedCredential, facts: Facts): string {
  const { name, namespace } = facts.subject
  if (!/^(deployment|statefulset|daemonset)\//.test(name)) return `Name ${ownEntry(credential, facts)}`
  const pod = { spec: { imagePullSecrets: [{ name: credential.secretName }] } }
  return `kubectl patch ${name} -n ${namespace} -p '${JSON.stringify({ spec: { template: pod } })}'`
}

/** What makes the pod anew. */
export function newPod({ subject }: Facts): string {
  const { name, namespace, pod } = subject
  const remove = `kubectl delete ${name} -n ${namespace}`
  return pod?.controller ? `${remove}  (${pod.controller} makes another)` : `${remove}, and make it anew`
}

function namesItself({ secretName }: ObservedCredential, { subject }: Facts): boolean {
  return subject.pullSecrets.includes(secretName)
}

function ownEntry({ secretName }: ObservedCredential, { subject }: Facts): string {
  const where = subject.pod ? 'the pod or its template' : subject.name
  return `Secret ${secretName} in imagePullSecrets of ${where}`
}
