/** The writes that the base class is given instead of its own. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KubeConfig } from '@kubernetes/client-node'
import { createCaches, credentialsPath } from '../src/controller/watches.ts'
import { KubeClient } from '../src/kube/client.ts'
import type { KubeObject } from '../src/kube/objects.ts'
import { sharedCluster } from './cluster/shared.ts'
import { Lab } from './controller/lab.ts'

let lab: Lab

beforeAll(() => {
  lab = new Lab()
})

afterAll(() => lab.close())

test('a specification that changes just before its status is written wakes the credential loop all the same', async () => {
  // jest cannot load the base class, which is CommonJS, before the client library is there.
  const { RegistryCredentialOperator } = await import('../src/operator.ts')
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromFile(sharedCluster().adminKubeconfig)
  const client = new KubeClient({ kubeConfig, version: 'test' })
  const caches = createCaches(['regcred'])
  const operator = new RegistryCredentialOperator(kubeConfig, client, caches, async () => {})
  const name = await lab.credential('overtaken', { source: { secretRef: { name: 'none' } }, suspend: true })
  const read = () => lab.client.get<KubeObject>(`${credentialsPath}/${name}`)

  caches.credentials.observe('ADDED', await read())
  const known = caches.credentials.get('', name)
  const told: (number | undefined)[] = []
  caches.credentials.subscribe(({ before, after }) => {
    if (before?.generation !== after?.generation) told.push(after?.generation)
  })
  await lab.patchCredential(name, { priority: 1 })
  const changed = await read()
  if (known === undefined) throw new Error('the cache has lost it')
  await operator.writeStatus(known, { observedGeneration: known.generation })
  // The watch is behind: only now it brings the change, and then the status.
  caches.credentials.observe('MODIFIED', changed)
  caches.credentials.observe('MODIFIED', await read())
  expect(told).toEqual([known.generation + 1])
  await client.close()
})
