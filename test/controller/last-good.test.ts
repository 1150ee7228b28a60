/** What is kept of the credentials in Secrets of the operator's namespace, on the real API server. */
import { beforeEach, expect, test } from '@jest/globals'
import { LastGood } from '../../src/controller/last-good.ts'
import { freshNamespace, manager, openClient } from '../kube/setup.ts'
import { entriesFor, login } from '../model/builders.ts'
import { secretPath } from './lab.ts'

let client: ReturnType<typeof openClient>
let namespace: string

beforeEach(async () => {
  client = openClient()
  namespace = await freshNamespace(client)
})

/** As after a start. */
async function loaded(): Promise<LastGood> {
  const lastGood = new LastGood(client, namespace)
  await lastGood.load()
  return lastGood
}

const kept = (name: string) => login(entriesFor(name, 'ghcr.io'))
const pathOf = (digit: string) => secretPath(namespace, `regcred-operator-state-${digit}`)
const dataOf = async (digit: string) => (await client.get<{ data?: Record<string, string> }>(pathOf(digit))).data ?? {}

test('what is kept is there after a start, until it is forgotten', async () => {
  const before = await loaded()
  expect(before.of('a-1')).toBeUndefined()
  await before.keep('a-1', kept('one'))
  const other = login(entriesFor('two', 'quay.io', 'docker.io/acme/'), { handle: { id: 7 } })
  await before.keep('b-1', other)
  const after = await loaded()
  expect(after.of('a-1')).toEqual(kept('one'))
  expect(after.of('b-1')).toEqual(other)
  await after.forget('a-1')
  expect(after.of('a-1')).toBeUndefined()
  expect((await loaded()).of('a-1')).toBeUndefined()
  expect((await loaded()).of('b-1')).toBeDefined()
})

test('first writes at the same time leave nobody out', async () => {
  const uids = Array.from({ length: 32 }, (_, index) => `${index % 2 ? 'c' : 'd'}-${index}`)
  const lastGood = await loaded()
  await Promise.all(uids.map((uid) => lastGood.keep(uid, kept(uid))))
  const after = await loaded()
  expect(uids.filter((uid) => after.of(uid) === undefined)).toEqual([])
})

test('a Secret that is lost while the operator runs is made again with all that it held', async () => {
  const lastGood = await loaded()
  await lastGood.keep('e-1', kept('one'))
  await lastGood.keep('e-2', kept('two'))
  await client.delete(pathOf('e'))
  await lastGood.keep('e-3', kept('three'))
  expect(Object.keys(await dataOf('e')).sort()).toEqual(['e-1', 'e-2', 'e-3'])
  await client.delete(pathOf('e'))
  await lastGood.forget('e-1') // there is nothing to forget it from
  expect(lastGood.of('e-1')).toBeUndefined()
  expect(lastGood.of('e-2')).toEqual(kept('two'))
})

test('what is kept already is not written again', async () => {
  const lastGood = await loaded()
  await lastGood.keep('f-1', kept('one'))
  const writes = () => client.responses.filter(({ method }) => method === 'PATCH').length
  const before = writes()
  await lastGood.keep('f-1', kept('one'))
  await lastGood.forget('f-of-nobody')
  expect(writes()).toBe(before)
  await lastGood.keep('f-1', kept('another'))
  expect(writes()).toBe(before + 1)
})

test('what was not written does not count as kept, and the next is written all the same', async () => {
  const lastGood = await loaded()
  const huge = login(new Map([['ghcr.io', { username: 'u', password: 'x'.repeat(1024 * 1024) }]]))
  await lastGood.keep('1-1', kept('one'))
  const [failed, done] = await Promise.allSettled([lastGood.keep('1-2', huge), lastGood.keep('1-3', kept('three'))])
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 422 } })
  expect(JSON.stringify((failed as PromiseRejectedResult).reason)).not.toContain('xxx')
  expect(done).toMatchObject({ status: 'fulfilled' })
  expect(lastGood.of('1-2')).toBeUndefined()
  expect(Object.keys(await dataOf('1')).sort()).toEqual(['1-1', '1-3'])
})

test.each(['', 'not JSON', 'null', '{"auths":{}}', '{"auths":{"ghcr.io":"login"}}'])(
  'what cannot be read counts as not kept: %j',
  async (text) => {
    await (await loaded()).keep('2-1', kept('one'))
    const data = { '2-1': Buffer.from(text).toString('base64') }
    await client.mergePatch(pathOf('2'), { data }, manager)
    expect((await loaded()).of('2-1')).toBeUndefined()
  },
)

test('those of credentials that are gone are pruned', async () => {
  const lastGood = await loaded()
  for (const uid of ['3-1', '4-1', '4-2']) await lastGood.keep(uid, kept(uid))
  await lastGood.prune(new Set(['4-2']))
  expect([await dataOf('3'), Object.keys(await dataOf('4'))]).toEqual([{}, ['4-2']])
})

test('a uid that begins with anything has its place', async () => {
  const lastGood = await loaded()
  await lastGood.keep('Xyz', kept('odd'))
  expect((await loaded()).of('Xyz')).toEqual(kept('odd'))
})

test('before it is loaded nothing is kept or told', async () => {
  const lastGood = new LastGood(client, namespace)
  expect(() => lastGood.of('a-1')).toThrow('not loaded')
  await expect(lastGood.keep('a-1', kept('one'))).rejects.toThrow('not loaded')
})
