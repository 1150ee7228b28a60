import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { mergePatchOf } from '../../src/model/merge-patch.ts'

describe('the patch', () => {
  test.each([
    [
      'is empty for equals, in whatever order',
      { a: 1, b: { c: [{ d: 1, e: 2 }] } },
      { b: { c: [{ e: 2, d: 1 }] }, a: 1 },
      {},
    ],
    ['has what is new', {}, { a: 1, b: { c: 2 } }, { a: 1, b: { c: 2 } }],
    ['has what is other', { a: 1, b: 'same' }, { a: 2, b: 'same' }, { a: 2 }],
    ['has null for what is to go', { a: 1, b: 2 }, { a: 1 }, { b: null }],
    ['has null for a whole object that is to go', { a: { b: 1, c: 2 } }, {}, { a: null }],
    ['has null deep down', { a: { b: { c: 1, d: 2 }, e: 3 } }, { a: { b: { c: 1 }, e: 3 } }, { a: { b: { d: null } } }],
    ['has a list whole', { a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }, { b: 3 }] }, { a: [{ b: 1 }, { b: 3 }] }],
    ['has a list that is longer', { a: [1] }, { a: [1, 2] }, { a: [1, 2] }],
    ['has a list that is shorter', { a: [1, 2] }, { a: [1] }, { a: [1] }],
    ['has an object where none was', { a: 1, b: [1] }, { a: {}, b: { 0: 1 } }, { a: {}, b: { 0: 1 } }],
    ['has a list where an object was', { a: { 0: 1 } }, { a: [1] }, { a: [1] }],
  ])('%s', (_, before, after, patch) => {
    expect(mergePatchOf(before, after)).toEqual(patch)
  })
})

type Json = number | string | boolean | Json[] | Fields
interface Fields {
  [name: string]: Json
}

/** Few names and values, so that many are the same in two of them. */
const { fields } = fc.letrec<{ value: Json; fields: Fields }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(0, 1, '', 'text', false),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('fields'),
  ),
  fields: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { noNullPrototype: true }),
}))

/** MergePatch of RFC 7386, section 2. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, merge(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every patch with one field less, at any depth. */
function* smaller(patch: unknown): Generator<object> {
  if (!isObject(patch)) return
  const all = Object.entries(patch)
  for (const [at, [name, value]] of all.entries()) {
    yield Object.fromEntries(all.toSpliced(at, 1))
    for (const less of smaller(value)) yield Object.fromEntries(all.with(at, [name, less]))
  }
}

describe('for any two objects', () => {
  test('the patch makes the one of the other', () => {
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        expect(merge(before, mergePatchOf(before, after))).toEqual(after)
      }),
      { numRuns: 2000 },
    )
  })

  test('no field of the patch could be left out', () => {
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        for (const less of smaller(mergePatchOf(before, after))) expect(merge(before, less)).not.toEqual(after)
      }),
      { numRuns: 300 },
    )
  })

  test('an object needs no patch to be itself', () => {
    fc.assert(
      fc.property(fields, (object) => {
        expect(mergePatchOf(object, structuredClone(object))).toEqual({})
      }),
    )
  })
})
