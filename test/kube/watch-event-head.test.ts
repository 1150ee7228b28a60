import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KubeObject } from '../../src/kube/objects.ts'
import { headOf } from '../../src/kube/watch-event-head.ts'

const metadata = { name: 'a', namespace: 'b', uid: 'c', resourceVersion: '4' }

/** An event as the API server writes it; `rest` comes behind the fields of the head. */
function event(fields: object = metadata, rest: object = {}, type = 'MODIFIED'): string {
  return JSON.stringify({ type, object: { kind: 'Secret', apiVersion: 'v1', metadata: { ...fields, ...rest } } })
}

test('the head of an event says whose it is', () => {
  expect(headOf(event())).toEqual(metadata)
  expect(headOf(event(metadata, { generation: 1, labels: { a: 'b' } }, 'ADDED'))).toEqual(metadata)
})

test('of a cluster-scoped object it has no namespace', () => {
  const wide = { name: 'a', uid: 'c', resourceVersion: '4' }
  expect(headOf(event(wide))).toEqual(wide)
})

test('the prefix of a generated name may stand between name and namespace', () => {
  const { name, ...rest } = metadata
  expect(headOf(event({ name, generateName: 'prefix-', ...rest }))).toEqual(metadata)
})

test.each([
  ['a deletion', event(metadata, {}, 'DELETED')],
  ['a bookmark', event({ resourceVersion: '4' }, {}, 'BOOKMARK')],
  ['an error', '{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"code":410}}'],
  [
    'a custom resource, whose keys are sorted',
    '{"type":"ADDED","object":{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}}',
  ],
  ['another order', event({ uid: 'c', name: 'a', namespace: 'b', resourceVersion: '4' })],
  ['an unknown field in between', event({ name: 'a', namespace: 'b', selfLink: '/', uid: 'c', resourceVersion: '4' })],
  ['an escape in a name', event({ ...metadata, name: 'a"b' })],
  ['an escape in a name that Go makes', event({ ...metadata, name: 'a<b' }).replace('<', '\\u003c')],
  ['white space', JSON.stringify(JSON.parse(event()), undefined, 1)],
  ['an event behind something else', ` ${event()}`],
  ['an event that ends in its head', event().slice(0, event().indexOf('"4"'))],
])('%s has none', (_, line) => {
  expect(headOf(line)).toBeUndefined()
})

/** What somebody could write into a label to be taken for another: pieces of a head, and what ends strings. */
const hostile = fc.oneof(
  fc.constantFrom(
    '","uid":"x","resourceVersion":"9"',
    'a","namespace":"victim","uid":"x","resourceVersion":"9',
    event({ name: 'victim', namespace: 'victim', uid: 'x', resourceVersion: '9' }),
    '\\',
    '\\"',
    '\n',
  ),
  fc.string({ unit: 'grapheme' }),
)

/** Mostly as the API server lets them be, or nothing had a head. */
const value = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'kube-root-ca.crt', '12') },
  { weight: 1, arbitrary: hostile },
)
const all = { name: value, generateName: value, namespace: value, uid: value, resourceVersion: value }
/** In Go's order, some left out; or in any other that has the namespace before the version, as sorted keys do too. */
const fields = fc.record(all, { requiredKeys: ['name', 'uid', 'resourceVersion'] }).chain((record) => {
  const shuffled = fc
    .shuffledSubarray(Object.keys(record))
    .filter((keys) => keys.indexOf('namespace') < keys.indexOf('resourceVersion'))
    .map((keys) => Object.fromEntries(keys.map((key) => [key, record[key as keyof typeof record]])))
  return fc.oneof(fc.constant(record), shuffled)
})
const rest = fc.dictionary(hostile, fc.oneof(hostile, fc.dictionary(hostile, hostile)))
const types = fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR')

test('whatever an event holds, its head is what parsing it tells, or there is none', () => {
  let heads = 0
  const check = (before: object, fields: object, behind: object, type: string) => {
    const line = event({ ...before, ...fields }, behind, type)
    const head = headOf(line)
    if (head === undefined) return
    heads++
    const parsed = JSON.parse(line) as { type: string; object: KubeObject }
    const { name, namespace, uid, resourceVersion } = parsed.object.metadata
    expect(['ADDED', 'MODIFIED']).toContain(parsed.type)
    expect({ namespace: undefined, ...head }).toEqual({ name, namespace, uid, resourceVersion })
  }
  fc.assert(fc.property(fc.oneof(fc.constant({}), rest), fields, rest, types, check), { numRuns: 3_000 })
  expect(heads).toBeGreaterThan(100)
})

test('labels and annotations that look like a head change nothing, wherever they stand', () => {
  fc.assert(
    fc.property(hostile, hostile, (key, value) => {
      const held = { labels: { [key]: value }, annotations: { [value]: key } }
      expect(headOf(event(metadata, held))).toEqual(metadata)
      expect(headOf(event({ ...held, ...metadata }))).toBeUndefined()
    }),
  )
})
