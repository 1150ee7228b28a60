/**
 * Which token server may be given a login of a registry. The registry names it in its challenge, so this is what keeps
 * a password from travelling wherever an answer says.
 */
import { getDomain } from 'tldts'
import { isLoopback } from '../http/addresses.ts'

/** @returns whether the realm is at the registry's own host, at loopback as it is, or in the same registrable domain */
export function isOwnRealm(realm: URL, registry: URL): boolean {
  if (!/^https?:$/.test(realm.protocol) || realm.username !== '' || realm.password !== '') return false
  if (realm.hostname === registry.hostname) return true
  if (isLoopback(realm.hostname) && isLoopback(registry.hostname)) return true
  // Private suffixes count (`github.io`): who rents a name below one has nothing to do with who rents the next.
  const [domain, other] = [realm, registry].map(({ hostname }) => getDomain(hostname, { allowPrivateDomains: true }))
  return domain !== null && domain === other
}
