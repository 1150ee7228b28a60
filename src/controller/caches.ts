/** What the watches keep in memory: facts only, see `observe.ts`. Cluster-scoped objects are under the namespace ''. */
import type { Cache } from '../kube/cache.ts'
import type { ObservedSecret, ObservedServiceAccount } from '../model/observed.ts'
import type { Namespace } from '../model/selection.ts'
import type { ObservedCredential } from './observe.ts'

export interface Caches {
  credentials: Cache<ObservedCredential>
  namespaces: Cache<Namespace>
  serviceAccounts: Cache<ObservedServiceAccount>
  /** One for each target Secret name, since RBAC allows one name a watch. */
  secrets: ReadonlyMap<string, Cache<ObservedSecret>>
  /** All Secrets of the operator's own namespace: name → resourceVersion. */
  sources: Cache<string>
}
