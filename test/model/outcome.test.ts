import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Contended } from '../../src/model/contended.ts'
import { countsOf, isSame, type Outcome, tally } from '../../src/model/outcome.ts'
import { outcome } from './findings.ts'

const contended: Contended = { kind: 'ServiceAccount', name: 'default', manager: undefined }
const failure = { reason: 'NotOwned', message: 'Secret regcred is left alone.' }

test('no outcomes are nothing selected, nothing failed, nothing left to do', () => {
  expect(tally(new Map(), 1)).toEqual({
    selected: 0,
    synced: 0,
    failed: 0,
    leaving: 0,
    serviceAccounts: { selected: 0, linked: 0 },
    failures: [],
    contended: [],
    overlaps: [],
  })
})

test('every namespace is counted for what it is', () => {
  const overlap = { key: 'ghcr.io', winner: 'a', loser: 'b' }
  const sum = tally(
    new Map([
      ['current', outcome({ serviceAccounts: { selected: 3, linked: 2 }, overlaps: [overlap] })],
      ['older', outcome({ version: 1, serviceAccounts: { selected: 1, linked: 1 }, overlaps: [{ ...overlap }] })],
      ['failed', outcome({ failure, contended })],
      ['contended', outcome({ failure, contended })],
      ['leaving', outcome({ selected: false })],
      ['leaving-failed', outcome({ selected: false, failure })],
    ]),
    2,
  )
  expect(sum).toEqual({
    selected: 4,
    synced: 1,
    failed: 3,
    leaving: 2,
    serviceAccounts: { selected: 8, linked: 7 },
    failures: [
      { namespace: 'contended', ...failure },
      { namespace: 'failed', ...failure },
      { namespace: 'leaving-failed', ...failure },
    ],
    contended: [
      { namespace: 'contended', ...contended },
      { namespace: 'failed', ...contended },
    ],
    overlaps: [overlap],
  })
})

test('each namespace is in one state, and may be contended besides', () => {
  const outcomes = [
    outcome(),
    outcome({ version: 1 }),
    outcome({ failure, contended }),
    outcome({ selected: false }),
    outcome({ selected: false, failure }),
  ]
  const namespaces = { synced: 1, pending: 1, failed: 2, leaving: 1 }
  expect(countsOf(outcomes, 2)).toEqual({ namespaces, contended: 1 })
})

test('overlaps that differ in key, winner or loser are told apart', () => {
  const overlaps = [
    { key: 'ghcr.io', winner: 'a', loser: 'b' },
    { key: 'ghcr.io', winner: 'a', loser: 'c' },
    { key: 'ghcr.io', winner: 'b', loser: 'a' },
    { key: 'quay.io', winner: 'a', loser: 'b' },
  ]
  const sum = tally(new Map(overlaps.map((overlap, index) => [`team-${index}`, outcome({ overlaps: [overlap] })])), 2)
  expect(sum.overlaps).toEqual(overlaps)
})

describe('two outcomes', () => {
  const overlaps = [{ key: 'ghcr.io', winner: 'a', loser: 'b' }]
  const all: Required<Outcome> = outcome({ failure, contended, overlaps })

  test('say the same when all of it is equal', () => {
    const again = {
      ...all,
      failure: { ...failure },
      contended: { ...contended },
      serviceAccounts: { ...all.serviceAccounts },
      overlaps: overlaps.map((each) => ({ ...each })),
    }
    expect(isSame(all, again)).toBe(true)
  })

  test.each<[keyof Outcome, Partial<Outcome>[]]>([
    ['version', [{ version: 1 }]],
    ['replaced', [{ replaced: 1 }]],
    ['selected', [{ selected: false }]],
    [
      'failure',
      [{ failure: undefined }, { failure: { ...failure, reason: 'x' } }, { failure: { ...failure, message: 'x' } }],
    ],
    [
      'contended',
      [
        { contended: undefined },
        { contended: { ...contended, kind: 'Secret' } },
        { contended: { ...contended, name: 'x' } },
        { contended: { ...contended, manager: 'x' } },
      ],
    ],
    [
      'serviceAccounts',
      [{ serviceAccounts: { selected: 2, linked: 1 } }, { serviceAccounts: { selected: 1, linked: 0 } }],
    ],
    ['overlaps', [{ overlaps: [] }, { overlaps: [{ key: 'ghcr.io', winner: 'b', loser: 'a' }] }]],
  ])('do not when %s is another', (_, others) => {
    for (const other of others) expect(isSame(all, { ...all, ...other })).toBe(false)
  })
})

const outcomes: fc.Arbitrary<Map<string, Outcome>> = fc
  .array(
    fc.tuple(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), minLength: 1, maxLength: 4 }),
      fc.record({
        version: fc.integer({ min: 1, max: 3 }),
        replaced: fc.constant(2),
        selected: fc.boolean(),
        failure: fc.constantFrom(undefined, failure),
        contended: fc.constant(undefined),
        serviceAccounts: fc.constantFrom({ selected: 2, linked: 1 }),
        overlaps: fc.constant([]),
      }),
    ),
    { maxLength: 40 },
  )
  .map((list) => new Map(list))

describe('for any outcomes', () => {
  test('what is up to date is selected, has not failed, and is of the version asked for', () => {
    fc.assert(
      fc.property(outcomes, (all) => {
        const { selected, synced, failed, leaving } = tally(all, 2)
        const each = [...all.values()]
        expect(selected + leaving).toBe(all.size)
        expect(synced).toBe(each.filter((one) => one.selected && !one.failure && one.version === 2).length)
        expect(failed).toBe(each.filter((one) => one.failure).length)
      }),
    )
  })

  test('the failures are the first ten by name, in whatever order they came', () => {
    fc.assert(
      fc.property(outcomes, (all) => {
        const { failures } = tally(all, 2)
        const failing = [...all].filter(([, one]) => one.failure).map(([name]) => name)
        expect(failures.map(({ namespace }) => namespace)).toEqual(failing.sort().slice(0, 10))
        expect(tally(new Map([...all].reverse()), 2)).toEqual(tally(all, 2))
      }),
    )
  })
})
