/** What `status` shows of credentials, as cells of tables. Pure. */
import type { RegistryCredential } from '../api/registry-credential.ts'
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
    login === undefined ? none : until(login.expiresAt, 'never', now),
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

/** A row for everything that is wrong, or about to be: conditions of a credential (no namespace), and its namespaces. */
export function failureRows(credential: RegistryCredential): string[][] {
  const { metadata, status } = credential
  const ofItself = [
    ...['Stalled', 'RefreshFailing', 'Contended', 'Overlapping'].filter((type) => isTrue(credential, type)),
    ...(conditionOf(credential, 'Verified')?.status === 'False' ? ['Verified'] : []),
  ].map((type) => {
    const { reason = '', message = '' } = conditionOf(credential, type) ?? {}
    return [metadata.name, none, reason, message]
  })
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

function isTrue(credential: RegistryCredential, type: string): boolean {
  return conditionOf(credential, type)?.status === 'True'
}

function until(time: string | undefined, without: string, now: Date): string {
  if (time === undefined) return without
  const ms = Date.parse(time) - now.getTime()
  return ms < 0 ? `${humanDuration(-ms)} ago` : `in ${humanDuration(ms)}`
}
