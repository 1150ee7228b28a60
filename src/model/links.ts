/** What is to become of every reference of one ServiceAccount: those to the targets, and those that nobody knows any more. */
import type { CredentialState } from './desired.ts'
import { desiredLink, type Link, leftoverLink } from './link-change.ts'
import type { ObservedServiceAccount } from './observed.ts'
import type { Namespace } from './selection.ts'
import type { Target } from './target.ts'

/** @param targets all of the namespace; whether they are available is what counts of them now */
export function linksOf(
  serviceAccount: ObservedServiceAccount,
  namespace: Namespace,
  targets: readonly Pick<Target, 'desired' | 'available'>[],
  credentials: readonly CredentialState[],
): ReadonlyMap<string, Link> {
  const links = new Map<string, Link>()
  for (const { desired, available } of targets) {
    links.set(desired.name, desiredLink(desired, available, serviceAccount))
  }
  for (const name of serviceAccount.managed) {
    if (!links.has(name)) links.set(name, leftoverLink(name, namespace, credentials))
  }
  return links
}
