import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { claimsOf, Marks } from '../../src/controller/marks.ts'
import type { ObservedSecret } from '../../src/model/observed.ts'
import { secret } from '../model/builders.ts'

const marks = new Marks(Buffer.alloc(32, 1))
const hash = marks.hashOf('{"auths":{}}')

function marked(uids: string[], place: Partial<ObservedSecret> = {}): ObservedSecret {
  const observed = secret(place)
  return { ...observed, mark: marks.markOf(observed, hash, uids) }
}

test('a mark proves what the Secret was made of', () => {
  expect(marks.provenOf(marked(['one', 'two']))).toEqual(['one', 'two'])
  expect(claimsOf(marked(['one', 'two']))).toEqual(['one', 'two'])
})

test('a mark is for one Secret: copied to another namespace or name it proves nothing', () => {
  const { mark } = marked(['one'])
  expect(marks.provenOf(secret({ namespace: 'team-b', mark }))).toBeUndefined()
  expect(marks.provenOf(secret({ name: 'other', mark }))).toBeUndefined()
  expect(marks.provenOf(secret({ mark }))).toEqual(['one'])
})

test('a mark of another key proves nothing, and neither does none', () => {
  expect(new Marks(Buffer.alloc(32, 2)).provenOf(marked(['one']))).toBeUndefined()
  expect(marks.provenOf(secret())).toBeUndefined()
  expect(claimsOf(secret())).toEqual([])
})

test('the hash of the data hangs on the key, so that nobody can try passwords on it', () => {
  expect(new Marks(Buffer.alloc(32, 2)).hashOf('{"auths":{}}')).not.toBe(hash)
  expect(marks.hashOf('{"auths": {}}')).not.toBe(hash)
  expect(hash).toMatch(/^[0-9a-f]{32}$/)
})

test.each([
  ['a NUL', '\u0000'],
  ['half a character', '\ud800'],
  ['a name of what every object has', '__proto__'],
])('a mark of ours with %s in it, anywhere, proves nothing', (_, piece) => {
  const { mark = '' } = marked(['one'])
  for (let at = 0; at <= mark.length; at++) {
    const forged = mark.slice(0, at) + piece + mark.slice(at)
    expect(marks.provenOf(secret({ mark: forged }))).toBeUndefined()
  }
})

test('a mark with a hundred thousand of what it has two of proves nothing', () => {
  expect(marks.provenOf(secret({ mark: `${hash}:${','.repeat(100_000)}:${hash}` }))).toBeUndefined()
  expect(marks.provenOf(secret({ mark: ':'.repeat(100_000) }))).toBeUndefined()
})

describe('for any text in place of a mark', () => {
  test('it proves nothing', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(':', ',', 'one', hash), { maxLength: 12 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(texts, (mark) => {
        expect(marks.provenOf(secret({ mark }))).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  test('a mark with one character changed proves nothing', () => {
    const { mark = '' } = marked(['one', 'two'])
    fc.assert(
      fc.property(fc.nat(mark.length - 1), fc.constantFrom('0', 'x', ':', ','), (at, character) => {
        fc.pre(mark[at] !== character)
        const changed = mark.slice(0, at) + character + mark.slice(at + 1)
        expect(marks.provenOf(secret({ mark: changed }))).toBeUndefined()
      }),
    )
  })
})
