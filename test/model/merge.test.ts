import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bytesOf } from '../../src/model/docker-config.ts'
import { type Contribution, type Merged, merge as mergeWithin } from '../../src/model/merge.ts'
import { entriesFor } from './builders.ts'
import { kubeName } from './names.ts'

function contribution(credential: string, priority: number, ...keys: string[]): Contribution {
  return { credential, priority, entries: entriesFor(credential, ...keys) }
}

/** With room for everything. */
function merge(contributions: Contribution[]): Merged {
  return mergeWithin(contributions, Number.POSITIVE_INFINITY)
}

test('nothing makes nothing', () => {
  expect(merge([])).toEqual({ entries: new Map(), overlaps: [], leftOut: new Set() })
})

test('different keys stand side by side', () => {
  const { entries, overlaps } = merge([
    contribution('a', 0, 'ghcr.io'),
    contribution('b', 0, 'quay.io', 'docker.io/acme/'),
  ])
  expect([...entries].map(([key, { username }]) => [key, username])).toEqual([
    ['ghcr.io', 'a'],
    ['quay.io', 'b'],
    ['docker.io/acme/', 'b'],
  ])
  expect(overlaps).toEqual([])
})

test('the higher priority wins, also a negative one over a lower one', () => {
  expect(merge([contribution('a', 0, 'ghcr.io'), contribution('b', 1, 'ghcr.io')])).toEqual({
    entries: entriesFor('b', 'ghcr.io'),
    overlaps: [{ key: 'ghcr.io', winner: 'b', loser: 'a' }],
    leftOut: new Set(),
  })
  expect(merge([contribution('a', -2, 'ghcr.io'), contribution('b', -1, 'ghcr.io')]).entries).toEqual(
    entriesFor('b', 'ghcr.io'),
  )
})

test('among equals the name that sorts first wins', () => {
  expect(
    merge([contribution('b', 5, 'ghcr.io'), contribution('c', 5, 'ghcr.io'), contribution('a', 5, 'ghcr.io')]),
  ).toEqual({
    entries: entriesFor('a', 'ghcr.io'),
    overlaps: [
      { key: 'ghcr.io', winner: 'a', loser: 'b' },
      { key: 'ghcr.io', winner: 'a', loser: 'c' },
    ],
    leftOut: new Set(),
  })
})

describe('where there is not room for all', () => {
  const [a, b, c] = [
    contribution('a', 0, 'ghcr.io', 'quay.io'),
    contribution('b', 0, 'b.io'),
    contribution('c', 0, 'c.io'),
  ]
  const all = new Map([...a.entries, ...b.entries, ...c.entries])
  const keysOf = ({ entries, leftOut }: Merged) => [[...entries.keys()], [...leftOut]]

  test('it is used to the last byte', () => {
    expect(keysOf(mergeWithin([a, b, c], bytesOf(all)))).toEqual([['ghcr.io', 'quay.io', 'b.io', 'c.io'], []])
    expect(keysOf(mergeWithin([a, b, c], bytesOf(all) - 1))).toEqual([['ghcr.io', 'quay.io', 'b.io'], ['c']])
    expect(mergeWithin([b], bytesOf(b.entries)).leftOut).toEqual(new Set())
    expect(mergeWithin([b], bytesOf(b.entries) - 1).leftOut).toEqual(new Set(['b']))
  })

  test('a credential is there with all its entries or with none, and those that come later and fit are there', () => {
    const room = bytesOf(new Map([...b.entries, ...c.entries]))
    expect(keysOf(mergeWithin([a, b, c], room))).toEqual([['b.io', 'c.io'], ['a']])
  })

  test('those that come first stay', () => {
    const first = { ...c, priority: 1 }
    expect(keysOf(mergeWithin([a, b, first], bytesOf(all) - 1))).toEqual([['c.io', 'ghcr.io', 'quay.io'], ['b']])
  })

  test('one whose keys are all given by others takes no room, and one that is left out overlaps with nobody', () => {
    const loser = contribution('d', 0, 'b.io')
    const full = mergeWithin([b, loser], bytesOf(b.entries))
    expect([full.leftOut, full.overlaps]).toEqual([new Set(), [{ key: 'b.io', winner: 'b', loser: 'd' }]])
    const more = contribution('d', 0, 'b.io', 'd.io')
    const tooMuch = mergeWithin([b, more], bytesOf(b.entries))
    expect([tooMuch.leftOut, tooMuch.overlaps]).toEqual([new Set(['d']), []])
  })
})

const contributions = fc
  .uniqueArray(
    fc.record({
      credential: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      priority: fc.integer({ min: -2, max: 2 }),
      keys: fc.uniqueArray(fc.constantFrom('ghcr.io', 'quay.io', 'docker.io/acme/'), { maxLength: 3 }),
    }),
    { selector: ({ credential }) => credential },
  )
  .map((all) => all.map(({ credential, priority, keys }) => contribution(credential, priority, ...keys)))

describe('for any contributions', () => {
  test('what is merged fits, and what is left out would not', () => {
    fc.assert(
      fc.property(contributions, fc.integer({ min: bytesOf(new Map()), max: 700 }), (all, room) => {
        const { entries, leftOut } = mergeWithin(all, room)
        expect(bytesOf(entries)).toBeLessThanOrEqual(room)
        for (const { credential, entries: own } of all) {
          if (leftOut.has(credential)) expect(bytesOf(new Map([...entries, ...own]))).toBeGreaterThan(room)
        }
      }),
    )
  })

  test('the order they come in makes no difference', () => {
    const shuffled = contributions.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    )
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        const [one, two] = [merge(all), merge(other)]
        expect([[...one.entries], one.overlaps]).toEqual([[...two.entries], two.overlaps])
      }),
    )
  })

  test('what has been merged is merged already, also beside those that it was made of', () => {
    fc.assert(
      fc.property(contributions, (all) => {
        const { entries } = merge(all)
        const whole: Contribution = { credential: 'merged', priority: 3, entries }
        expect(merge([whole]).entries).toEqual(entries)
        expect(merge([...all, whole]).entries).toEqual(entries)
      }),
    )
  })

  test('names of credentials of any length are ranked by one order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(kubeName, { minLength: 1, maxLength: 5 }), (names) => {
        const all = names.map((name) => contribution(name, 0, 'ghcr.io'))
        const [first, ...others] = names.toSorted()
        const { entries, overlaps } = merge(all)
        expect(entries.get('ghcr.io')?.username).toBe(first)
        expect(overlaps.map(({ winner, loser }) => [winner, loser])).toEqual(others.map((name) => [first, name]))
      }),
    )
  })

  test('every key is there with the entry of the one that nobody else outranks, and the others are named as losers', () => {
    fc.assert(
      fc.property(contributions, (all) => {
        const { entries, overlaps } = merge(all)
        expect(new Set(entries.keys())).toEqual(new Set(all.flatMap((each) => [...each.entries.keys()])))
        for (const [key, entry] of entries) {
          const rivals = all.filter((each) => each.entries.has(key))
          const highest = Math.max(...rivals.map(({ priority }) => priority))
          const winner = rivals
            .filter(({ priority }) => priority === highest)
            .map((each) => each.credential)
            .sort()[0]
          expect(entry.username).toBe(winner)
          const losers = rivals.map((each) => each.credential).filter((name) => name !== winner)
          const told = overlaps.filter((each) => each.key === key)
          expect(told.map(({ loser }) => loser).sort()).toEqual(losers.sort())
          for (const each of told) expect(each.winner).toBe(winner)
        }
      }),
    )
  })
})
