import { expect, test } from '@jest/globals'
import { Marks } from '../../src/controller/marks.ts'
import { Ownership } from '../../src/controller/ownership.ts'
import type { ObservedSecret } from '../../src/model/observed.ts'
import { secret, uidOf } from '../model/builders.ts'

const marks = new Marks(Buffer.alloc(32, 1))
const hash = marks.hashOf('')
const whole: Partial<ObservedSecret> = {
  labelled: true,
  dataIsOurs: true,
  owners: [uidOf('a')],
  mark: marks.markOf(secret(), hash, [uidOf('a')]),
}
/** Of another object, where nothing proves anything. */
const forged = { ...whole, mark: marks.markOf(secret({ namespace: 'team-b' }), hash, [uidOf('b')]) }

function recognize(facts: Partial<ObservedSecret>, ownership = new Ownership(marks)) {
  const { ours, proven, madeOf } = ownership.recognize(secret(facts))
  return { ours, proven, madeOf }
}

test('a mark that verifies makes the Secret ours, whatever else is gone or changed', () => {
  const all = { ours: true, proven: true, madeOf: new Set([uidOf('a')]) }
  expect(recognize(whole)).toEqual(all)
  expect(recognize({ mark: whole.mark })).toEqual(all)
  expect(recognize({ ...whole, owners: [uidOf('b')] })).toEqual(all)
})

test('marks that were copied to a foreign Secret do not make it ours, for others wrote its data', () => {
  expect(recognize({ ...forged, dataIsOurs: false })).toMatchObject({ ours: false, proven: false })
  expect(recognize({ labelled: true })).toMatchObject({ ours: false })
  expect(recognize({ owners: [uidOf('a')] })).toMatchObject({ ours: false })
})

test('where the key was lost, a Secret that we wrote last is ours, and what it was made of a claim', () => {
  const ownership = new Ownership(new Marks(Buffer.alloc(32, 2)))
  const { ours, proven, madeOf } = recognize(whole, ownership)
  expect({ ours, proven }).toEqual({ ours: true, proven: false })
  expect(madeOf).toEqual(new Set([uidOf('a')]))
  expect(recognize({ dataIsOurs: true }, ownership)).toMatchObject({ ours: false })
})

test('what was proven once holds for the life of the object, however its marks are spoiled', () => {
  const ownership = new Ownership(marks)
  recognize(whole, ownership)
  expect(recognize({}, ownership)).toEqual({ ours: true, proven: true, madeOf: new Set([uidOf('a')]) })
  expect(recognize(forged, ownership)).toEqual({ ours: true, proven: true, madeOf: new Set([uidOf('a')]) })
  expect(recognize({ ...forged, dataIsOurs: false, uid: 'another' }, ownership)).toMatchObject({ ours: false })
  ownership.forget(secret().uid)
  expect(recognize({}, ownership)).toMatchObject({ ours: false })
})

test('what many Secrets were made of is kept once', () => {
  const ownership = new Ownership(marks)
  const made = ['team-a', 'team-b'].map((namespace) => {
    const place = secret({ namespace, uid: namespace })
    return ownership.recognize({ ...place, mark: marks.markOf(place, hash, [uidOf('a'), uidOf('b')]) }).madeOf
  })
  expect(made[0]).toEqual(new Set([uidOf('a'), uidOf('b')]))
  expect(made[1]).toBe(made[0])
})

test('a Secret that is forgotten while it is taken away is not proven anew by the state that was seen before', () => {
  const ownership = new Ownership(marks)
  const before = secret(whole)
  ownership.recognize(before)
  ownership.forget(before.uid)
  expect(ownership.recognize(before)).toMatchObject({ ours: true, proven: true }) // it has to go all the same
  expect(recognize({}, ownership)).toMatchObject({ ours: false, proven: false }) // and is somebody else's afterwards
})
