import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Contribution, merge } from '../../src/model/merge.ts'
import { entriesFor } from './builders.ts'

function contribution(credential: string, priority: number, ...keys: string[]): Contribution {
  return { credential, priority, entries: entriesFor(credential, ...keys) }
}

test('nothing makes nothing', () => {
  expect(merge([])).toEqual({ entries: new Map(), overlaps: [] })
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
