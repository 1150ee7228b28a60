import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileGlobs, isGlob, matchesGlob } from '../../src/model/glob.ts'
import { kubeName } from './names.ts'

/** What a glob means, said with the engine that must not be let near patterns of users. */
function reference(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\/-]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's')
}

/** Few different characters, so that patterns and names meet; with those that mean something in regular expressions. */
const globs = fc.string({ unit: fc.constantFrom('a', 'b', '*', '*', '?', '-', '.'), maxLength: 10 })
const names = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 12 })

test.each([
  ['team-*', 'team-a', true],
  ['team-*', 'team-', true],
  ['team-*', 'team', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['?', '', false],
  ['?', 'a', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['*-prod', 'team-prod-prod', true],
  ['*-prod', 'team-prod-x', false],
  ['a*b*c', 'a-b-b-c', true],
  ['**', 'a', true],
  ['a.b', 'axb', false],
  ['[ab]', 'a', false],
  ['', '', true],
  ['', 'a', false],
])('the glob %p against %p gives %p', (glob, name, matches) => {
  expect(matchesGlob(glob, name)).toBe(matches)
})

describe('for any pattern and name', () => {
  test('a glob matches what the regular expression of the same meaning matches', () => {
    fc.assert(
      fc.property(globs, names, (glob, name) => {
        expect(matchesGlob(glob, name)).toBe(reference(glob).test(name))
      }),
      { numRuns: 5000 },
    )
  })

  test('all characters but the two wildcards are literal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 }), (a, b) => {
        const literal = a.replaceAll(/[*?]/g, '')
        expect(matchesGlob(literal, literal)).toBe(true)
        expect(matchesGlob(literal, b)).toBe(literal === b)
      }),
    )
  })

  test('a glob made from a name by putting wildcards for parts of it matches the name', () => {
    const parts = fc.array(fc.tuple(names, fc.constantFrom('literal', '*', '?')), { maxLength: 6 })
    fc.assert(
      fc.property(parts, (all) => {
        const glob = all.map(([text, as]) => (as === 'literal' ? text : as === '*' ? '*' : '?'.repeat(text.length)))
        expect(matchesGlob(glob.join(''), all.map(([text]) => text).join(''))).toBe(true)
      }),
    )
  })

  test('a name of any length is matched by itself alone, by a glob of its beginning and its end, and by * for all', () => {
    fc.assert(
      fc.property(kubeName, kubeName, fc.nat(253), (name, other, at) => {
        expect(compileGlobs([name])(name)).toBe(true)
        expect(compileGlobs([name])(other)).toBe(name === other)
        expect(matchesGlob(`${name.slice(0, at)}*${name.slice(at)}`, name)).toBe(true)
        expect(matchesGlob('?'.repeat(name.length), other)).toBe(name.length === other.length)
        expect(matchesGlob('*', name)).toBe(true)
      }),
    )
  })

  test('the order of a list makes no difference, and neither does what stands there twice', () => {
    fc.assert(
      fc.property(fc.array(globs, { maxLength: 5 }), names, (list, name) => {
        expect(compileGlobs([...list.toReversed(), ...list])(name)).toBe(compileGlobs(list)(name))
      }),
    )
  })

  test('a list matches what one of its items matches', () => {
    fc.assert(
      fc.property(fc.array(globs, { maxLength: 5 }), names, (list, name) => {
        expect(compileGlobs(list)(name)).toBe(list.some((glob) => matchesGlob(glob, name)))
      }),
    )
  })
})

test('a hostile pattern is done with at once, where a backtracking engine would never end', () => {
  const name = 'a'.repeat(20_000)
  expect(matchesGlob(`${'*a'.repeat(5_000)}b`, name)).toBe(false)
  expect(matchesGlob(`${'*a'.repeat(5_000)}*`, name)).toBe(true)
  expect(matchesGlob(`${'*?'.repeat(5_000)}b`, name)).toBe(false)
  expect(matchesGlob(`${'*'.repeat(20_000)}b`, name)).toBe(false)
})

test('an empty list matches nothing', () => {
  expect(compileGlobs([])('')).toBe(false)
  expect(compileGlobs([])('default')).toBe(false)
})

test('a pattern is a glob when it has a wildcard', () => {
  expect(['*', 'a*', 'a?b'].map(isGlob)).toEqual([true, true, true])
  expect(['', 'a', 'a.b', '[a]'].map(isGlob)).toEqual([false, false, false, false])
})
