/**
 * What kubectl wait, Flux and Argo CD make of an object: `Compute` of cli-utils' kstatus for a custom resource
 * (pkg/kstatus/status/generic.go and core.go), and the conventions that it relies on.
 */
import type { Status } from '../../src/model/status.ts'

export type Verdict = 'Terminating' | 'InProgress' | 'Failed' | 'Current'

export function verdictOf(object: { generation: number; deleting: boolean; status: Status }): Verdict {
  const { generation, deleting, status } = object
  const is = (type: string) => status.conditions?.find((condition) => condition.type === type)?.status
  if (deleting) return 'Terminating'
  if ((status.observedGeneration ?? generation) !== generation) return 'InProgress'
  if (is('Reconciling') === 'True') return 'InProgress'
  if (is('Stalled') === 'True') return 'Failed'
  return is('Ready') === 'True' || is('Ready') === undefined ? 'Current' : 'InProgress'
}

/** A status that the operator has not written yet: the CRD's default. */
const untouched = -1
/** Of the schema of conditions in Kubernetes, and of ours for messages. */
const reasonPattern = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/
const maxMessageLength = 1024

/** Where a status breaks the conventions or contradicts itself, in words; empty when all is well. */
export function complaintsAbout(status: Status): string[] {
  const { observedGeneration, conditions = [], failures, namespaces } = status
  const complaints: string[] = []
  const must = (holds: boolean, complaint: string) => void (holds || complaints.push(complaint))
  if (observedGeneration === untouched) {
    must(Object.keys(status).length === 1, 'a status of no generation says something')
    return complaints
  }
  const find = (type: string) => conditions.find((condition) => condition.type === type)
  const [ready, reconciling, stalled] = [find('Ready'), find('Reconciling'), find('Stalled')]
  must(observedGeneration !== undefined && observedGeneration > 0, 'no observedGeneration')
  must(ready !== undefined, 'no Ready')
  must(new Set(conditions.map(({ type }) => type)).size === conditions.length, 'a condition is there twice')
  must(!(reconciling && stalled), 'both Reconciling and Stalled')
  must(!(stalled && ready?.status === 'True'), 'Stalled, and yet Ready')
  const isSuspended = ready?.reason === 'Suspended'
  // Else whoever waits would wait for ever, and not be told what for.
  must(ready?.status === 'True' || isSuspended || Boolean(reconciling ?? stalled), 'not Ready, but nothing goes on')
  const isDone = ready?.status === 'True' && !reconciling && !isSuspended
  must(!isDone || (namespaces?.synced === namespaces?.selected && namespaces?.failed === 0), 'Ready too early')
  for (const { type, status: holds, observedGeneration: about, lastTransitionTime, reason, message } of conditions) {
    must(about === observedGeneration, `${type} is of another generation`)
    must(!Number.isNaN(Date.parse(lastTransitionTime)), `${type} has no time`)
    must(reasonPattern.test(reason), `the reason of ${type} is no word`)
    must(message.length <= maxMessageLength, `the message of ${type} is too long`)
    // The others are of abnormal-true polarity: there only while they hold.
    must(type === 'Ready' || type === 'Verified' || holds === 'True', `${type} is there, but not True`)
  }
  must(failures?.length !== 0, 'an empty list of failures')
  must(
    (failures ?? []).every(({ message }) => message.length <= maxMessageLength),
    'the message of a failure is too long',
  )
  return complaints
}
