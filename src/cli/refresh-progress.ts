/** How far a refresh is that was asked for, as the status tells it. Pure. */
import type { Condition, RegistryCredential } from '../api/registry-credential.ts'
import { conditionOf } from './credentials.ts'

export interface Progress {
  state: 'waiting' | 'done' | 'failed'
  /** What to tell, without the credential's name. */
  text: string
}

/** Of a refresh that the operator has not answered, as far as can be seen. */
export const asking = 'the operator is asking the source'

/** Reasons of Ready=False by which nothing is wrong (yet). */
const underWay = ['Issuing', 'Progressing', 'NamespacesFailed']

/**
 * @param before as it was when the refresh was asked for: what was wrong then may be past
 * @param request the value of the annotation
 */
export function progressOf(before: RegistryCredential, now: RegistryCredential, request: string): Progress {
  if (now.metadata.deletionTimestamp !== undefined) return { state: 'failed', text: 'it is being deleted' }
  if (now.status?.credential?.refreshRequest === request) return rollout(now, loginNow(before, now, request))
  const failure = failureOf(now)
  if (failure === undefined) return { state: 'waiting', text: asking }
  const text = `${failure.reason}: ${failure.message}`
  if (!isSame(failure, failureOf(before))) return { state: 'failed', text }
  // A failure that is the same again changes nothing in the status, so it cannot be told from one that is past.
  return { state: 'waiting', text: `no answer yet, and as before ${text}` }
}

/** The times in a status are of whole seconds: of one that was issued in the second of the request it cannot be told. */
function loginNow(before: RegistryCredential, now: RegistryCredential, request: string): string {
  const issuedAt = now.status?.credential?.issuedAt ?? ''
  if (issuedAt !== before.status?.credential?.issuedAt) return 'the new login'
  return issuedAt.slice(0, 19) < request.slice(0, 19) ? 'the login, the same as before,' : 'the login'
}

function rollout(now: RegistryCredential, login: string): Progress {
  const { status } = now
  const { selected = 0, synced = 0, failed = 0 } = status?.namespaces ?? {}
  const where = `${login} is in ${synced} of ${selected} namespaces`
  if (failed > 0) {
    const [first] = status?.failures ?? []
    const which = first === undefined ? '' : `; first ${first.namespace}: ${first.reason}: ${first.message}`
    return { state: 'failed', text: `${where}, ${failed} failed${which}` }
  }
  const ready = conditionOf(now, 'Ready')
  const reconciling = conditionOf(now, 'Reconciling')
  if (synced < selected || reconciling !== undefined) return { state: 'waiting', text: where }
  if (ready?.status === 'True') return { state: 'done', text: `${where}${ending(now)}` }
  return { state: 'failed', text: `${ready?.reason}: ${ready?.message}` }
}

function ending({ status }: RegistryCredential): string {
  const end = status?.credential?.expiresAt
  return end === undefined ? '' : `, until ${end}`
}

/** What keeps the operator from a new login. */
function failureOf(credential: RegistryCredential): Condition | undefined {
  const ready = conditionOf(credential, 'Ready')
  const notReady = ready?.status === 'False' && !underWay.includes(ready.reason) ? ready : undefined
  return conditionOf(credential, 'Stalled') ?? conditionOf(credential, 'RefreshFailing') ?? notReady
}

function isSame(a: Condition, b: Condition | undefined): boolean {
  return a.type === b?.type && a.reason === b.reason && a.message === b.message
}
