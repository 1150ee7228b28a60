import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CredentialState, DesiredSecret } from '../../src/model/desired.ts'
import type { RecognizedSecret } from '../../src/model/observed.ts'
import {
  asSource,
  isMarked,
  ownersOf,
  type SecretChange,
  secretChange,
  type Wanted,
} from '../../src/model/secret-change.ts'
import { credential, entriesFor, foreignOwner, madeOf, owner, secret, state, uidOf } from './builders.ts'

const a = state(credential('a'), { entries: entriesFor('a', 'a.io') })
const b = state(credential('b'), { entries: entriesFor('b', 'b.io') })
const about = { name: 'regcred', selectedBy: new Set<CredentialState>() }
const present: DesiredSecret = { ...about, state: 'present', contributors: [a, b] }
const absent: DesiredSecret = { ...about, state: 'absent' }
const released: DesiredSecret = { ...about, state: 'released' }
const held: DesiredSecret = { ...about, state: 'held', waitsFor: ['a'] }

/** As we wrote it. */
const ours = madeOf('a', 'b')
const wanted: Wanted = { mark: 'mark', madeOf: [a, b] }
const foreign = secret({ foreignOwners: [foreignOwner] })

const cases: [string, RecognizedSecret | undefined, Record<'present' | 'absent' | 'released', string>][] = [
  ['is not there', undefined, { present: 'create', absent: 'none', released: 'none' }],
  ['is as it should be', ours, { present: 'none', absent: 'delete', released: 'release' }],
  ['has another mark', { ...ours, mark: 'old' }, { present: 'update', absent: 'delete', released: 'release' }],
  ['has lost its mark', { ...ours, mark: undefined }, { present: 'update', absent: 'delete', released: 'release' }],
  ['has lost its label', { ...ours, labelled: false }, { present: 'update', absent: 'delete', released: 'release' }],
  [
    'has lost an owner',
    { ...ours, owners: [uidOf('a')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  ['has lost all owners', { ...ours, owners: [] }, { present: 'update', absent: 'delete', released: 'release' }],
  [
    'has a former owner',
    { ...ours, owners: [uidOf('a'), uidOf('c')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner too many',
    { ...ours, owners: [uidOf('a'), uidOf('b'), uidOf('c')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner twice',
    { ...ours, owners: [uidOf('a'), uidOf('a')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has the owner of an earlier life',
    { ...ours, owners: [uidOf('a'), 'old'] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner of somebody else as well',
    { ...ours, owners: [uidOf('b'), uidOf('a')], foreignOwners: [foreignOwner] },
    { present: 'none', absent: 'delete', released: 'release' },
  ],
  ['has other data', { ...ours, dataIsOurs: false }, { present: 'take', absent: 'delete', released: 'release' }],
  [
    'has nothing of ours left, but is known to be',
    { ...foreign, ours: true },
    { present: 'take', absent: 'delete', released: 'release' },
  ],
  [
    'has all our marks, but is not ours',
    { ...ours, ours: false },
    { present: 'not-owned', absent: 'none', released: 'none' },
  ],
  ['is not ours', foreign, { present: 'not-owned', absent: 'none', released: 'none' }],
  [
    'is not ours, but its data were',
    { ...foreign, dataIsOurs: true },
    { present: 'not-owned', absent: 'none', released: 'none' },
  ],
  ['is given to us', { ...foreign, adoptable: true }, { present: 'take', absent: 'none', released: 'none' }],
  [
    'is given to us and ours already',
    { ...ours, adoptable: true },
    { present: 'none', absent: 'delete', released: 'release' },
  ],
  ['is being deleted', { ...ours, deleting: true }, { present: 'wait', absent: 'none', released: 'none' }],
  [
    'is being deleted and not ours',
    { ...foreign, deleting: true },
    { present: 'wait', absent: 'none', released: 'none' },
  ],
]

describe('a Secret that', () => {
  test.each(cases)('%s', (_, observed, changes) => {
    expect({
      present: secretChange(present, observed, wanted),
      absent: secretChange(absent, observed, undefined),
      released: secretChange(released, observed, undefined),
    }).toEqual(changes)
    expect(secretChange(held, observed, undefined)).toBe('none')
  })
})

test('any of our marks is a mark, those of others are none', () => {
  expect(isMarked(secret({ labelled: true }))).toBe(true)
  expect(isMarked(secret({ mark: 'anything' }))).toBe(true)
  expect(isMarked({ ...foreign, owners: [uidOf('a')] })).toBe(true)
  expect(isMarked(foreign)).toBe(false)
})

describe('the owners', () => {
  test('are those of others first, then one for every credential whose entries are in it', () => {
    expect(ownersOf([a, b], undefined)).toEqual([owner('a'), owner('b')])
    expect(ownersOf([b], { ...ours, foreignOwners: [foreignOwner] })).toEqual([foreignOwner, owner('b')])
  })

  test('are none of ours where one credential asks for Orphan: the garbage collector is to have no say', () => {
    const orphan = state(credential('c', { deletionPolicy: 'Orphan' }), { entries: entriesFor('c', 'c.io') })
    expect(ownersOf([a, orphan], { ...ours, foreignOwners: [foreignOwner] })).toEqual([foreignOwner])
    const withOrphan: DesiredSecret = { ...about, state: 'present', contributors: [a, orphan] }
    const orphaned = { mark: 'mark', madeOf: [a, orphan] }
    expect(secretChange(withOrphan, madeOf('a', 'c'), orphaned)).toBe('update')
    expect(secretChange(withOrphan, { ...madeOf('a', 'c'), owners: [], foreignOwners: [foreignOwner] }, orphaned)).toBe(
      'none',
    )
  })
})

const observed: fc.Arbitrary<RecognizedSecret> = fc
  .record({
    deleting: fc.boolean(),
    labelled: fc.boolean(),
    mark: fc.constantFrom(undefined, 'mark', 'old'),
    adoptable: fc.boolean(),
    owners: fc.uniqueArray(fc.constantFrom(uidOf('a'), uidOf('b'), uidOf('c'))),
    foreignOwners: fc.uniqueArray(fc.constant(foreignOwner)),
    dataIsOurs: fc.boolean(),
    ours: fc.boolean(),
    madeOf: fc.uniqueArray(fc.constantFrom(uidOf('a'), uidOf('b'), uidOf('c'))).map((uids) => new Set(uids)),
    proven: fc.boolean(),
  })
  .map(secret)
const desired = fc.constantFrom(present, absent, released, held)
const changeOf = (is: DesiredSecret, some: RecognizedSecret, { mark } = wanted) =>
  secretChange(is, some, is.state === 'present' ? { ...wanted, mark } : undefined)

describe('for any Secret', () => {
  test('one that a credential is read from is never written or deleted, whatever marks it carries', () => {
    fc.assert(
      fc.property(desired, observed, (is, some) => {
        const change = changeOf(is, asSource(some))
        expect(['none', 'not-owned', 'wait']).toContain(change)
        expect(asSource(some)).toMatchObject({ ours: false, madeOf: new Set() })
      }),
    )
  })

  test('one that is not ours is never written or deleted, unless it is given to us', () => {
    fc.assert(
      fc.property(desired, observed, (is, some) => {
        fc.pre(!some.ours && !some.adoptable)
        expect(['none', 'not-owned', 'wait']).toContain(changeOf(is, some))
      }),
      { maxSkipsPerRun: 1000 },
    )
  })

  test('what has been written needs no second write', () => {
    fc.assert(
      fc.property(observed, (some) => {
        const change = changeOf(present, some)
        fc.pre(change === 'update' || change === 'take')
        const written = {
          ...some,
          labelled: true,
          mark: 'mark',
          owners: madeOf('a', 'b').owners,
          ours: true,
          dataIsOurs: change === 'take' || some.dataIsOurs,
        }
        expect(changeOf(present, written)).toBe('none')
        expect(changeOf(present, written, { ...wanted, mark: 'rotated' })).toBe('update')
      }),
      { maxSkipsPerRun: 1000 },
    )
  })

  /** What is there after a change; undefined: nothing. */
  function applied(change: SecretChange, some: RecognizedSecret | undefined) {
    const foreign = { ...secret(), ...some, labelled: false, mark: undefined, owners: [], ours: false }
    switch (change) {
      case 'create':
      case 'update':
      case 'take':
        return { ...foreign, ...madeOf('a', 'b'), foreignOwners: foreign.foreignOwners }
      case 'delete':
        return undefined
      case 'release':
        return foreign
      default:
        return some
    }
  }

  test('one change is enough, whatever is wanted', () => {
    fc.assert(
      fc.property(desired, fc.option(observed, { nil: undefined }), (is, some) => {
        const to = is.state === 'present' ? wanted : undefined
        const change = secretChange(is, some, to)
        fc.pre(change !== 'wait') // the next one comes when it has gone
        const after = applied(change, some)
        const next = secretChange(is, after, to)
        expect(next).toBe(change === 'not-owned' ? 'not-owned' : 'none')
      }),
      { numRuns: 1000 },
    )
  })

  test('the order of its owners makes no difference', () => {
    fc.assert(
      fc.property(desired, observed, (is, some) => {
        expect(changeOf(is, { ...some, owners: some.owners.toReversed() })).toBe(changeOf(is, some))
      }),
    )
  })

  test('what has been released has no mark of ours left', () => {
    fc.assert(
      fc.property(observed, (some) => {
        fc.pre(changeOf(released, some) === 'release')
        expect(isMarked({ ...some, labelled: false, mark: undefined, owners: [] })).toBe(false)
      }),
      { maxSkipsPerRun: 1000 },
    )
  })
})
