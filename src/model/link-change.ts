/**
 * Desired − observed for the references of one ServiceAccount. `imagePullSecrets` is an atomic list that others write
 * too: we append, never reorder, and remove only what our annotation says that we added.
 */
import type { CredentialState, DesiredSecret } from './desired.ts'
import { maxPullSecrets, type ObservedServiceAccount } from './observed.ts'
import { type Namespace, selectsNamespace, selectsServiceAccount } from './selection.ts'

/** What is to become of the reference to one Secret. */
export type Link = 'add' | 'keep' | 'remove' | 'release'

export interface LinkChange {
  pullSecrets: readonly string[]
  managed: readonly string[]
}

/**
 * @param available whether the Secret is there and ours; a reference is never added before its Secret
 */
export function desiredLink(desired: DesiredSecret, available: boolean, serviceAccount: ObservedServiceAccount): Link {
  const selected = (states: Iterable<CredentialState>) => {
    for (const { credential } of states) if (selectsServiceAccount(credential, serviceAccount)) return true
    return false
  }
  switch (desired.state) {
    case 'absent':
      return selected(desired.selectedBy) ? 'keep' : 'remove' // its Secret is to come: an admission policy insists on it
    case 'released':
      return 'release'
    case 'held':
      return available && selected(desired.selectedBy) ? 'add' : 'keep'
    case 'present':
      if (selected(desired.selectedBy)) return available ? 'add' : 'keep'
      return selected(desired.contributors) ? 'keep' : 'remove' // a frozen contributor may have linked it
  }
}

/** For a reference that an installation with other Secret names has left: nothing is known of its Secret. */
export function leftoverLink(name: string, namespace: Namespace, credentials: readonly CredentialState[]): Link {
  const concerned = credentials.filter(
    ({ credential }) => credential.secretName === name && selectsNamespace(credential, namespace),
  )
  if (concerned.some(({ credential }) => !credential.deleting)) return 'keep' // it is frozen: its name is not allowed
  return concerned.some(({ credential }) => credential.deletionPolicy === 'Orphan') ? 'release' : 'remove'
}

/** The list and the annotation as they should be, or undefined when they are. */
export function linkChange(
  serviceAccount: ObservedServiceAccount,
  links: ReadonlyMap<string, Link>,
): LinkChange | undefined {
  const listed = new Set(serviceAccount.pullSecrets)
  const managed = new Set(serviceAccount.managed)
  const removed = new Set<string>()
  const added: string[] = []
  for (const [name, link] of links) {
    if (link === 'add' && !listed.has(name)) {
      if (serviceAccount.pullSecrets.length + added.length >= maxPullSecrets) continue
      added.push(name)
      managed.add(name)
    } else if (link === 'remove' && managed.delete(name)) {
      removed.add(name)
    } else if (link === 'release') {
      managed.delete(name)
    }
  }
  const change = {
    pullSecrets: [...serviceAccount.pullSecrets.filter((name) => !removed.has(name)), ...added.sort()],
    managed: [...managed].sort(),
  }
  const same = equal(change.pullSecrets, serviceAccount.pullSecrets) && equal(change.managed, serviceAccount.managed)
  return same ? undefined : change
}

/** No entry can be added to it; the policies of `config/admission` stop there too. */
export function isFull({ tooMany, pullSecrets }: ObservedServiceAccount): boolean {
  return tooMany || pullSecrets.length >= maxPullSecrets
}

/** Whether a link asks for a write on this ServiceAccount. */
export function isPending(link: Link, name: string, { pullSecrets, managed }: ObservedServiceAccount): boolean {
  if (link === 'add') return !pullSecrets.includes(name)
  return link !== 'keep' && managed.includes(name)
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
