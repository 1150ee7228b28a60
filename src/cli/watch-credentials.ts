/** Follows credentials for as long as the program runs, over whatever cuts the watch. */
import type { RegistryCredential } from '../api/registry-credential.ts'
import { credentialsPath } from '../controller/watches.ts'
import { isForbidden } from '../kube/api-error.ts'
import { Cache } from '../kube/cache.ts'
import type { KubeClient } from '../kube/client.ts'
import { reflect } from '../kube/reflector.ts'
import type { Logger } from '../telemetry/logger.ts'
import { complete } from './credentials.ts'
import { tell } from './output.ts'
import { sayingOf } from './problem.ts'

const silent: Logger = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent }

/**
 * Calls back with each credential that is not, or no longer, what is known of it; with one that is deleted as it was last.
 * @param names only these; empty: all
 * @throws ApiError when it may not be watched
 */
export async function watchCredentials(
  client: KubeClient,
  names: readonly string[],
  known: readonly RegistryCredential[],
  changed: (credential: RegistryCredential) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const printed = new Map(known.map(({ metadata }) => [metadata.uid, metadata.resourceVersion]))
  const cache = new Cache((raw) => complete(raw as RegistryCredential))
  cache.subscribe(({ name, before, after }) => {
    const credential = after ?? before
    if (credential === undefined || (names.length > 0 && !names.includes(name))) return
    const { uid, resourceVersion } = credential.metadata
    if (after !== undefined && printed.get(uid) === resourceVersion) return
    printed.set(uid, resourceVersion)
    changed(credential)
  })
  const stop = new AbortController()
  let refused: Error | undefined
  const watching = reflect({
    client,
    path: credentialsPath,
    cache,
    log: silent,
    signal: AbortSignal.any([signal, stop.signal]),
    onProblem(error) {
      if (isForbidden(error)) {
        refused = error
        stop.abort()
      } else {
        tell(`${sayingOf(error)}; trying again`)
      }
      return true
    },
  })
  await watching.done
  if (refused !== undefined) throw refused
}
