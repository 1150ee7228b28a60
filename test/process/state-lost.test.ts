/**
 * What the operator keeps in its own namespace is lost: the key that signs its marks, and the last good entries. On a
 * control plane of its own, since a new key has every Secret there is written once more.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, secretPath } from '../controller/lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from '../controller/restarts.ts'
import { isWrite, requestsSince } from '../controller/traffic.ts'

let cluster: OwnedCluster
let lab: Lab
let operator: Restarts

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  operator = new Restarts({ cluster })
  await operator.start()
})

afterAll(async () => {
  await lab.close()
  await operator.stop()
  await cluster.stop()
})

const login = { username: 'robot', password: 'p4ssw0rd-of-lost' }
const digits = [...'0123456789abcdef']

async function loseKey(): Promise<void> {
  await lab.client.delete(secretPath(operatorNamespace, 'regcred-operator-key'))
}

async function credentialFor(name: string, key: string, include: string[]): Promise<string> {
  const source = await lab.source(name, { [key]: login })
  const credential = await lab.credential(name, {
    source: { secretRef: { name: source } },
    namespaces: { include, optIn: true },
  })
  await lab.ready(credential)
  return credential
}

async function markOf(namespace: string): Promise<string | undefined> {
  return (await lab.secret(namespace))?.metadata.annotations?.['regcred.dev/mark']
}

test(
  'with a new key every Secret is marked anew in place, by one write, with the entries of the suspended',
  async () => {
    const namespaces = [await lab.namespace('one'), await lab.namespace('two')]
    await credentialFor('awake', 'ghcr.io', namespaces)
    const asleep = await credentialFor('asleep', 'quay.io', namespaces)
    const both = { 'ghcr.io': login, 'quay.io': login }
    await lab.patchCredential(asleep, { suspend: true })
    await eventually(async () => expect((await lab.readCredential(asleep)).status?.observedGeneration).toBe(2))
    for (const each of namespaces) await eventually(async () => expect(await lab.references(each)).toEqual(['regcred']))
    const before = await Promise.all(namespaces.map((each) => lab.secret(each)))
    let since = new Date()
    await operator.whileDown(async () => {
      await loseKey()
      since = new Date()
    })
    for (const [index, namespace] of namespaces.entries()) {
      await eventually(async () =>
        expect(await markOf(namespace)).not.toBe(before[index]?.metadata.annotations?.['regcred.dev/mark']),
      )
      const { metadata, data } = (await lab.secret(namespace)) ?? {}
      expect([metadata?.uid, data]).toEqual([before[index]?.metadata.uid, before[index]?.data])
      expect(metadata?.ownerReferences).toEqual(before[index]?.metadata.ownerReferences)
      expect(await lab.logins(namespace)).toEqual(both)
      const writes = (await requestsSince(cluster, since)).filter(
        (each) => isWrite(each) && each.namespace === namespace,
      )
      expect(writes.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(['patch secrets'])
    }
  },
  RESTART_TIMEOUT_MS,
)

test(
  'a credential that ended while the key was lost is cleaned up after',
  async () => {
    const namespace = await lab.namespace('ended')
    const credential = await credentialFor('ended', 'ghcr.io', [namespace])
    await operator.whileDown(async () => {
      await loseKey()
      await lab.deleteCredential(credential)
    })
    await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
    await eventually(async () => expect(await lab.references(namespace)).toEqual([]))
    await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
  },
  RESTART_TIMEOUT_MS,
)

test(
  'what was kept is kept again at the next start, where the sources can be read',
  async () => {
    const namespace = await lab.namespace('kept')
    const credential = await credentialFor('kept', 'ghcr.io', [namespace])
    const { uid } = (await lab.readCredential(credential)).metadata
    const state = secretPath(operatorNamespace, `regcred-operator-state-${uid.charAt(0)}`)
    await operator.whileDown(async () => {
      for (const digit of digits) {
        await lab.client.delete(secretPath(operatorNamespace, `regcred-operator-state-${digit}`)).catch(() => {})
      }
    })
    await eventually(async () => {
      const { type, data } = await lab.client.get<{ type: string; data?: object }>(state)
      expect([type, Object.keys(data ?? {})]).toEqual(['regcred.dev/state', expect.arrayContaining([uid])])
    })
    expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login })
  },
  RESTART_TIMEOUT_MS,
)
