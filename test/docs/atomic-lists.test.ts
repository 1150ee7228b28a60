/** What docs/explanation/atomic-lists.md says of the ways to write imagePullSecrets, by the API server itself. */
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { Lab, serviceAccountPath } from '../controller/lab.ts'
import { read } from './markdown.ts'

const lab = new Lab()
const page = read('docs/explanation/atomic-lists.md')
let namespace: string
let made = 0

const named = (...names: string[]) => ({ imagePullSecrets: names.map((name) => ({ name })) })
const applied = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace },
  ...named(name),
})

function patch(type: string, content: object): Promise<string> {
  const what = ['patch', 'serviceaccount', 'default', '-n', namespace]
  return lab.cluster.kubectl(...what, `--type=${type}`, '-p', JSON.stringify(content))
}

/** Says what a row of the table says, too. */
async function expectList(row: string, ...names: string[]): Promise<void> {
  const line = page.split('\n').find((each) => each.startsWith('|') && each.includes(row))
  expect(line).toContain(`\`[${names.join(', ')}]\``)
  expect(await lab.references(namespace)).toEqual(names)
}

beforeEach(async () => {
  namespace = await lab.namespace(`atomic-${++made}`)
  await lab.client.apply(
    serviceAccountPath(namespace),
    { ...applied('a'), ...named('a', 'b') },
    { fieldManager: 'owner', force: true },
  )
})

afterAll(() => lab.close())

test('a strategic merge patch replaces the list', async () => {
  await patch('strategic', named('c'))
  await expectList('(strategic merge)', 'c')
})

test('a merge patch replaces the list', async () => {
  await patch('merge', named('c'))
  await expectList('--type=merge', 'c')
})

test('server-side apply takes the whole list by force, and conflicts without', async () => {
  const apply = (force: boolean) =>
    lab.client.apply(serviceAccountPath(namespace), applied('c'), { fieldManager: 'another', force })
  await expect(apply(false)).rejects.toThrow('conflict')
  await apply(true)
  await expectList('server-side apply', 'c')
})

test('a JSON patch appends, twice where it is done twice, and not where there is no list', async () => {
  const append = [{ op: 'add', path: '/imagePullSecrets/-', value: { name: 'c' } }]
  await patch('json', append)
  await expectList('--type=json', 'a', 'b', 'c')
  await patch('json', append)
  expect(await lab.references(namespace)).toEqual(['a', 'b', 'c', 'c'])
  await patch('merge', { imagePullSecrets: null })
  await expect(patch('json', append)).rejects.toThrow('imagePullSecrets')
})

test('who reads, appends and writes loses what came in between, or with the resourceVersion is told', async () => {
  const read = await lab.serviceAccount(namespace)
  await patch('json', [{ op: 'add', path: '/imagePullSecrets/-', value: { name: 'in-between' } }])
  const { resourceVersion } = read?.metadata ?? {}
  await expect(patch('merge', { metadata: { resourceVersion }, ...named('a', 'b', 'c') })).rejects.toThrow('Conflict')
  await patch('merge', named('a', 'b', 'c'))
  await expectList('read, append, write', 'a', 'b', 'c')
})
