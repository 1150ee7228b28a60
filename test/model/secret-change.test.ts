import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { DesiredSecret } from '../../src/model/desired.ts'
import type { ObservedSecret } from '../../src/model/observed.ts'
import { asSource, foreignOwners, isOurs, ownersOf, secretChange } from '../../src/model/secret-change.ts'
import { credential, entriesFor, foreignOwner, owner, secret, state } from './builders.ts'

const a = state(credential('a'), { entries: entriesFor('a', 'a.io') })
const b = state(credential('b'), { entries: entriesFor('b', 'b.io') })
const about = { name: 'regcred', selectedBy: [] }
const present: DesiredSecret = { ...about, state: 'present', contributors: [a, b] }
const absent: DesiredSecret = { ...about, state: 'absent' }
const released: DesiredSecret = { ...about, state: 'released' }
const held: DesiredSecret = { ...about, state: 'held', waitsFor: ['a'] }

/** As we wrote it. */
const ours = secret({ labelled: true, hash: 'hash', dataIsOurs: true, owners: [owner('a'), owner('b')] })
const foreign = secret({ owners: [foreignOwner] })

const cases: [string, ObservedSecret | undefined, Record<'present' | 'absent' | 'released', string>][] = [
  ['is not there', undefined, { present: 'create', absent: 'none', released: 'none' }],
  ['is as it should be', ours, { present: 'none', absent: 'delete', released: 'release' }],
  ['has another hash', { ...ours, hash: 'old' }, { present: 'update', absent: 'delete', released: 'release' }],
  ['has lost its hash', { ...ours, hash: undefined }, { present: 'update', absent: 'delete', released: 'release' }],
  ['has lost its label', { ...ours, labelled: false }, { present: 'update', absent: 'delete', released: 'release' }],
  [
    'has lost an owner',
    { ...ours, owners: [owner('a')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  ['has lost all owners', { ...ours, owners: [] }, { present: 'update', absent: 'delete', released: 'release' }],
  [
    'has a former owner',
    { ...ours, owners: [owner('a'), owner('c')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner too many',
    { ...ours, owners: [owner('a'), owner('b'), owner('c')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner twice',
    { ...ours, owners: [owner('a'), owner('a')] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has the owner of an earlier life',
    { ...ours, owners: [owner('a'), { ...owner('b'), uid: 'old' }] },
    { present: 'update', absent: 'delete', released: 'release' },
  ],
  [
    'has an owner of somebody else as well',
    { ...ours, owners: [foreignOwner, owner('b'), owner('a')] },
    { present: 'none', absent: 'delete', released: 'release' },
  ],
  ['has other data', { ...ours, dataIsOurs: false }, { present: 'take', absent: 'delete', released: 'release' }],
  ['has only our label left', secret({ labelled: true }), { present: 'take', absent: 'delete', released: 'release' }],
  ['has only our hash left', secret({ hash: 'hash' }), { present: 'take', absent: 'delete', released: 'release' }],
  [
    'has only our owner left',
    secret({ owners: [owner('a')] }),
    { present: 'take', absent: 'delete', released: 'release' },
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
      present: secretChange(present, observed, 'hash'),
      absent: secretChange(absent, observed, 'hash'),
      released: secretChange(released, observed, 'hash'),
    }).toEqual(changes)
    expect(secretChange(held, observed, 'hash')).toBe('none')
  })
})

test('an object of the same kind in another API group is somebody else', () => {
  const namesake = { ...owner('a'), apiVersion: 'other.example/v1' }
  expect(isOurs(secret({ owners: [namesake] }))).toBe(false)
  expect(foreignOwners(secret({ owners: [namesake, owner('a')] }))).toEqual([namesake])
})

test('an object of our group under another version is ours, one of another kind is not', () => {
  expect(isOurs(secret({ owners: [{ ...owner('a'), apiVersion: 'regcred.dev/v2' }] }))).toBe(true)
  expect(isOurs(secret({ owners: [{ ...owner('a'), kind: 'Other' }] }))).toBe(false)
})

test('the owners are those of others first, then one for every contributor', () => {
  expect(ownersOf([a, b], undefined)).toEqual([owner('a'), owner('b')])
  expect(ownersOf([b], { ...ours, owners: [owner('a'), foreignOwner, owner('b')] })).toEqual([foreignOwner, owner('b')])
  expect(foreignOwners(undefined)).toEqual([])
})

const observed: fc.Arbitrary<ObservedSecret> = fc
  .record({
    deleting: fc.boolean(),
    labelled: fc.boolean(),
    hash: fc.constantFrom(undefined, 'hash', 'old'),
    adoptable: fc.boolean(),
    owners: fc.uniqueArray(fc.constantFrom(owner('a'), owner('b'), owner('c'), foreignOwner)),
    dataIsOurs: fc.boolean(),
  })
  .map(secret)
const desired = fc.constantFrom(present, absent, released, held)

describe('for any Secret', () => {
  test('one that a credential is read from is never written or deleted, whatever marks it carries', () => {
    fc.assert(
      fc.property(desired, observed, (is, some) => {
        const change = secretChange(is, asSource(some), 'hash')
        expect(['none', 'not-owned', 'wait']).toContain(change)
        expect(asSource(some).owners).toEqual(foreignOwners(some))
      }),
    )
  })

  test('one without any mark of ours is never written or deleted, unless it is given to us', () => {
    fc.assert(
      fc.property(desired, observed, (is, some) => {
        fc.pre(!isOurs(some) && !some.adoptable)
        expect(['none', 'not-owned', 'wait']).toContain(secretChange(is, some, 'hash'))
      }),
      { maxSkipsPerRun: 1000 },
    )
  })

  test('what has been written needs no second write', () => {
    fc.assert(
      fc.property(observed, (some) => {
        const change = secretChange(present, some, 'hash')
        fc.pre(change === 'update' || change === 'take')
        const owners = ownersOf([a, b], some)
        const written = {
          ...some,
          labelled: true,
          hash: 'hash',
          owners,
          dataIsOurs: change === 'take' || some.dataIsOurs,
        }
        expect(secretChange(present, written, 'hash')).toBe('none')
        expect(secretChange(present, written, 'rotated')).toBe('update')
      }),
      { maxSkipsPerRun: 1000 },
    )
  })

  test('what has been released is no longer ours', () => {
    fc.assert(
      fc.property(observed, (some) => {
        fc.pre(secretChange(released, some, 'hash') === 'release')
        expect(isOurs({ ...some, labelled: false, hash: undefined, owners: foreignOwners(some) })).toBe(false)
      }),
      { maxSkipsPerRun: 1000 },
    )
  })
})
