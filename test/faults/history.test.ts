/** The history of objects, as etcd has it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { Lab, secretPath } from '../controller/lab.ts'
import { historyOf, revisionOf } from './history.ts'

let cluster: OwnedCluster
let lab: Lab

beforeAll(async () => {
  cluster = await startCluster({ history: true })
  lab = new Lab(cluster)
})

afterAll(async () => {
  await lab.close()
  await cluster.stop()
})

test('every version of an object is told, its end too, in order, also of what came and went unseen', async () => {
  const before = await revisionOf(cluster.etcdUrl)
  const namespace = await lab.namespace('history')
  const path = `/api/v1/namespaces/${namespace}/secrets`
  await lab.create(path, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' }, stringData: { at: '1' } })
  await lab.patch(secretPath(namespace, 'one'), { stringData: { at: '2' } })
  await lab.client.delete(secretPath(namespace, 'one'))
  await cluster.apiserver.stop()
  await cluster.apiserver.start()
  const versions = (await historyOf(cluster.etcdUrl, 'secrets', before)).filter((each) => each.namespace === namespace)
  expect(versions.map(({ name, object }) => [name, (object as { data?: object } | undefined)?.data])).toEqual([
    ['one', { at: 'MQ==' }],
    ['one', { at: 'Mg==' }],
    ['one', undefined],
  ])
  const revisions = versions.map(({ revision }) => revision)
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
  expect(await historyOf(cluster.etcdUrl, 'secrets', await revisionOf(cluster.etcdUrl))).toEqual([])
})
