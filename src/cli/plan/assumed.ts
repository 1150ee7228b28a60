/** The Secrets as they should be there, for users who may not list Secrets: the status says where they are not. */
import type { ObservedCredential } from '../../controller/observe.ts'
import { desiredSecret } from '../../model/desired.ts'
import type { RecognizedSecret } from '../../model/observed.ts'
import { owningOf } from '../../model/secret-change.ts'
import { secretKey, type World } from './simulate.ts'

/** @param world without Secrets */
export function assumedSecrets(
  world: Omit<World, 'secrets'>,
  credentials: readonly ObservedCredential[],
): Map<string, RecognizedSecret> {
  const secrets = new Map<string, RecognizedSecret>()
  for (const namespace of world.namespaces) {
    for (const name of world.secretNames) {
      const desired = desiredSecret(name, namespace, world.states, undefined)
      const isForeign = credentials.some(
        ({ secretName, status }) =>
          secretName === name &&
          status?.failures?.some((each) => each.namespace === namespace.name && each.reason === 'NotOwned'),
      )
      if (desired.state !== 'present' && !isForeign) continue
      const contributors = desired.state === 'present' ? desired.contributors : []
      const uids = contributors.map(({ credential }) => credential.uid)
      const owners = owningOf(contributors).map(({ credential }) => credential.uid)
      secrets.set(secretKey(namespace.name, name), {
        namespace: namespace.name,
        name,
        uid: '',
        resourceVersion: '',
        deleting: false,
        finalizers: [],
        labelled: !isForeign,
        mark: isForeign ? undefined : `:${uids.join()}:`,
        adoptable: false,
        owners: isForeign ? [] : owners,
        foreignOwners: [],
        dataIsOurs: !isForeign,
        dataManager: undefined,
        ours: !isForeign,
        madeOf: new Set(isForeign ? [] : uids),
        proven: !isForeign,
      })
    }
  }
  return secrets
}
