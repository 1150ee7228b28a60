/** Every version of a credential that a watch shows, for rules that must hold at each moment and not only at the end. */
import { isDeepStrictEqual } from 'node:util'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type Verdict, verdictOf } from '../model/kstatus.ts'
import type { Lab } from './lab.ts'

export interface History {
  /** In the order in which they came to be. */
  versions: RegistryCredential[]
  /** The credential is gone. */
  ended: boolean
}

/** Follows a credential that may not exist yet; the watch ends with it, or with the client of the lab. */
export function follow(lab: Lab, name: string): History {
  const history: History = { versions: [], ended: false }
  const query = { fieldSelector: `metadata.name=${name}`, watch: true, timeoutSeconds: 600 }
  const stop = new AbortController()
  const onLine = (line: string) => {
    const { type, object } = JSON.parse(line) as { type: string; object: RegistryCredential }
    if (type !== 'DELETED') {
      history.versions.push(object)
      return
    }
    history.ended = true
    stop.abort()
  }
  void lab.client.watch(credentialsPath, { query, signal: stop.signal, onLine }).catch(() => {}) // or the lab was closed
  return history
}

/** kstatus' reading of a version. */
export function kstatusOf({ metadata, status = {} }: RegistryCredential): Verdict {
  const { generation = 0, deletionTimestamp } = metadata
  return verdictOf({ generation, deleting: deletionTimestamp !== undefined, status })
}

/** What the CRD gives a credential that the operator has not looked at yet. */
const initialStatus = { observedGeneration: -1 }

/** What breaks the rules of conditions in these versions, in words; empty when all is well. */
export function violationsOf(versions: RegistryCredential[]): string[] {
  const violations: string[] = []
  const lastTransition = new Map<string, string>()
  let before: RegistryCredential | undefined
  for (const version of versions) {
    const { metadata, status = {} } = version
    const complain = (what: string) => violations.push(`${metadata.resourceVersion}: ${what} ${JSON.stringify(status)}`)
    if (isDeepStrictEqual(status, initialStatus)) {
      if (before) complain('the status is gone')
      continue
    }
    const { observedGeneration = 0, conditions = [], namespaces } = status
    const types = conditions.map(({ type }) => type)
    if (!types.includes('Ready')) complain('no Ready')
    if (types.includes('Reconciling') && types.includes('Stalled')) complain('both Reconciling and Stalled')
    if (conditions.some(({ type, status }) => type !== 'Ready' && status !== 'True')) complain('abnormal but not True')
    if (observedGeneration > (metadata.generation ?? 0)) complain('ahead of its generation')
    if (observedGeneration < (before?.status?.observedGeneration ?? 0)) complain('observedGeneration went back')
    if (kstatusOf(version) === 'Current' && namespaces?.synced !== namespaces?.selected) complain('Current too early')
    for (const condition of conditions) {
      const { type, status, lastTransitionTime } = condition
      if (condition.observedGeneration !== observedGeneration) complain(`${type} is of another generation`)
      const previous = before?.status?.conditions?.find((each) => each.type === type)
      const moved = previous?.lastTransitionTime !== lastTransitionTime
      if (previous?.status === status && moved) complain(`${type} moved without a transition`)
      if (lastTransitionTime < (lastTransition.get(type) ?? '')) complain(`${type} went back in time`)
      lastTransition.set(type, lastTransitionTime)
    }
    before = version
  }
  return violations
}
