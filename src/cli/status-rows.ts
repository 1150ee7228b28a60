/** What `status` shows of credentials, as cells of tables. Pure. */
import type { Condition, RegistryCredential } from '../api/registry-credential.ts'
import { ageOf, humanDuration } from './age.ts'
import { conditionOf } from './credentials.ts'
import { none, unknown } from './table.ts'

const narrow = ['NAME', 'READY', 'VERIFIED', 'EXPIRES', 'NAMESPACES', 'FAILED', 'AGE']
const wide = ['SECRET', 'NEXT REFRESH', 'STUCK PODS', 'CONTENDED', 'REASON', 'MESSAGE']

export function statusHeaders(isWide: boolean): string[] {
  return isWide ? [...narrow, ...wide] : narrow
}

export function statusRow(credential: RegistryCredential, isWide: boolean, now: Date): string[] {
  const { metadata, spec, status } = credential
  const login = status?.credential
  const ready = conditionOf(credential, 'Ready')
  const row = [
    metadata.name,
    ready?.status ?? unknown,
    conditionOf(credential, 'Verified')?.status ?? none,
    login === undefined ? none : until(login.expiresAt, unknown, now),
    status?.namespaces?.summary ?? unknown,
    String(status?.namespaces?.failed ?? unknown),
    ageOf(metadata.creationTimestamp, now),
  ]
  if (!isWide) return row
  return [
    ...row,
    spec.secretName,
    until(login?.nextRefreshAt, none, now),
    String(status?.pods?.stuck ?? none),
    conditionOf(credential, 'Contended')?.status ?? 'False',
    ready?.reason ?? none,
    ready?.message ?? none,
  ]
}

export const failureHeaders = ['NAME', 'NAMESPACE', 'REASON', 'MESSAGE']

/** Reasons of Ready=False by which nothing is wrong with the credential itself. */
const underWay = ['Issuing', 'Progressing', 'NamespacesFailed', 'Terminating']

/** A row for everything that is wrong, or about to be: with a credential (no namespace), and in its namespaces. */
export function failureRows(credential: RegistryCredential): string[][] {
  const { metadata, status } = credential
  const ready = conditionOf(credential, 'Ready')
  const wrong = [
    ready?.status === 'False' && !underWay.includes(ready.reason) ? ready : undefined,
    ...['RefreshFailing', 'Contended', 'Overlapping'].map((type) => conditionOf(credential, type)),
    ready?.reason === 'VerificationFailed' ? undefined : refusedBy(credential),
  ]
  const ofItself = wrong.flatMap((each) => (each ? [[metadata.name, none, each.reason, each.message]] : []))
  const ofNamespaces = (status?.failures ?? []).map((each) => [
    metadata.name,
    each.namespace,
    each.reason,
    each.message,
  ])
  const more = (status?.namespaces?.failed ?? 0) - ofNamespaces.length
  const rest = more > 0 ? [[metadata.name, `${more} more`, none, 'status.failures lists the first ten']] : []
  return [...ofItself, ...ofNamespaces, ...rest]
}

function refusedBy(credential: RegistryCredential): Condition | undefined {
  const verified = conditionOf(credential, 'Verified')
  return verified?.status === 'False' ? verified : undefined
}

function until(time: string | undefined, without: string, now: Date): string {
  if (time === undefined) return without
  const ms = Date.parse(time) - now.getTime()
  return ms < 0 ? `${humanDuration(-ms)} ago` : `in ${humanDuration(ms)}`
}
