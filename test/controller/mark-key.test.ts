import { afterAll, expect, test } from '@jest/globals'
import { fieldManager, markKeySecret } from '../../src/api/names.ts'
import { loadMarkKey } from '../../src/controller/mark-key.ts'
import { isConflict } from '../../src/kube/api-error.ts'
import { Lab, secretPath } from './lab.ts'

const lab = new Lab()

afterAll(() => lab.close())

test('of many that start together one makes the key, and the others get it when they ask again', async () => {
  const namespace = await lab.namespace('key')
  const all = await Promise.allSettled(Array.from({ length: 16 }, () => loadMarkKey(lab.client, namespace)))
  const key = await loadMarkKey(lab.client, namespace)
  expect(key).toHaveLength(32)
  for (const each of all) {
    if (each.status === 'fulfilled') expect(each.value).toEqual(key)
    else expect(isConflict(each.reason)).toBe(true)
  }
})

test('a key that somebody has spoiled is made anew', async () => {
  const namespace = await lab.namespace('spoiled')
  const key = await loadMarkKey(lab.client, namespace)
  const path = secretPath(namespace, markKeySecret)
  await lab.client.mergePatch(path, { data: { key: 'c2hvcnQ=' } }, { fieldManager })
  const anew = await loadMarkKey(lab.client, namespace)
  expect(anew).toHaveLength(32)
  expect(anew).not.toEqual(key)
  expect(await loadMarkKey(lab.client, namespace)).toEqual(anew)
})
