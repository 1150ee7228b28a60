import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sharedList, sharedText } from '../../src/controller/shared.ts'

/** Lists as they come: equal, and each of its own. */
function anew<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

test('equal lists are one list', () => {
  const uids = Array.from({ length: 200 }, (_, index) => `uid-${index}`)
  expect(sharedList(anew(uids))).toEqual(uids)
  expect(sharedList(anew(uids))).toBe(sharedList(anew(uids)))
  expect(sharedList([])).toBe(sharedList([]))
})

test('lists that differ stay apart, whatever is in their items', () => {
  expect(sharedList(['a,b'])).toEqual(['a,b'])
  expect(sharedList(['a', 'b'])).toEqual(['a', 'b'])
  expect(sharedList(['a","b'])).toEqual(['a","b'])
  expect(sharedList([''])).toEqual([''])
})

test('whatever comes is given back as it came', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (list) => {
      expect(sharedList(list)).toEqual(list)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => sharedText(text) === text))
})

test('what is too long to be in many objects is not kept', () => {
  const long = ['x'.repeat(40_000)]
  expect(sharedList(long)).toBe(long)
})

test('what has not come for long is forgotten, what comes again and again is not', () => {
  const often = sharedList(['often'])
  const once = sharedList(['once'])
  for (let index = 0; index < 1000; index++) {
    sharedList([`list-${index}`])
    expect(sharedList(['often'])).toBe(often)
  }
  expect(sharedList(['once'])).not.toBe(once)
})
