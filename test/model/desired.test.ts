import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type CredentialState, type DesiredSecret, desiredSecret, feeds } from '../../src/model/desired.ts'
import { secretChange } from '../../src/model/secret-change.ts'
import { selectsNamespace } from '../../src/model/selection.ts'
import { credential, entriesFor, foreignOwner, madeOf, namespace, state, uidOf } from './builders.ts'

interface Situation {
  /** Selects the namespace; otherwise it has been taken out of the selection. */
  selects?: boolean
  /** Its entries are known. */
  known?: boolean
  /** The Secret is made of its entries. */
  feeds?: boolean
  frozen?: boolean
  deleting?: boolean
  orphan?: boolean
  /** It has been pointed at another Secret. */
  moved?: boolean
}

function stateOf(name: string, situation: Situation): CredentialState {
  const { selects = false, known = false, frozen = false, deleting = false, orphan = false, moved = false } = situation
  const spec = {
    secretName: moved ? 'other' : 'regcred',
    namespaces: { include: selects ? ['*'] : ['elsewhere'], optIn: true },
    suspend: frozen,
    deletionPolicy: orphan ? ('Orphan' as const) : ('Delete' as const),
  }
  return state(credential(name, spec, { deleting }), { entries: known ? entriesFor(name, `${name}.io`) : undefined })
}

/** @param situations by name of the credential. The Secret is there when somebody feeds it, or when `there`. */
function desired(situations: Record<string, Situation>, there = false): DesiredSecret {
  const states = Object.entries(situations).map(([name, situation]) => stateOf(name, situation))
  const feeding = Object.keys(situations).filter((name) => situations[name]?.feeds)
  return desiredSecret('regcred', namespace(), states, feeding.length > 0 || there ? madeOf(...feeding) : undefined)
}

/** The state, and whom it is about. */
function said(is: DesiredSecret): string {
  if (is.state === 'present') return `present with ${is.contributors.map((each) => each.credential.name).join(' ')}`
  if (is.state === 'held') return `held${is.waitsFor.map((name) => ` for ${name}`).join('')}`
  return is.state
}

const steady: Situation = { selects: true, known: true, feeds: true }

describe('one credential', () => {
  test.each<[string, Situation, string]>([
    ['selects for the first time', { selects: true, known: true }, 'present with a'],
    ['goes on', steady, 'present with a'],
    ['selects, but its source was never read', { selects: true }, 'held for a'],
    ['goes on, but its source cannot be read', { ...steady, known: false }, 'held for a'],
    ['selects no longer', { known: true, feeds: true }, 'absent'],
    ['selects no longer, and its source cannot be read', { feeds: true }, 'absent'],
    ['has never selected', { known: true }, 'absent'],
    ['writes another Secret now', { ...steady, moved: true }, 'absent'],
    ['is suspended', { ...steady, frozen: true }, 'held'],
    ['is suspended before it wrote anything', { selects: true, known: true, frozen: true }, 'held'],
    ['is suspended, and its source cannot be read', { ...steady, known: false, frozen: true }, 'held for a'],
    ['is suspended, and selects no longer', { known: true, feeds: true, frozen: true }, 'held'],
    ['is suspended, and writes another Secret now', { ...steady, frozen: true, moved: true }, 'held'],
    ['is suspended, and has nothing to do with the namespace', { known: true, frozen: true }, 'absent'],
    ['is deleted', { ...steady, deleting: true }, 'absent'],
    ['is deleted before its source was read', { ...steady, known: false, deleting: true }, 'absent'],
    ['is deleted before it wrote anything', { selects: true, known: true, deleting: true }, 'absent'],
    ['is deleted with Orphan', { ...steady, deleting: true, orphan: true }, 'released'],
    ['is deleted with Orphan while suspended', { ...steady, deleting: true, orphan: true, frozen: true }, 'released'],
    ['is deleted while suspended', { ...steady, deleting: true, frozen: true }, 'absent'],
    [
      'is deleted with Orphan before it wrote anything',
      { selects: true, known: true, deleting: true, orphan: true },
      'absent',
    ],
    [
      'is deleted with Orphan, and selects no longer',
      { known: true, feeds: true, deleting: true, orphan: true },
      'released',
    ],
  ])('that %s', (_, situation, expected) => {
    expect(said(desired({ a: situation }))).toBe(expected)
  })
})

describe('two credentials for one Secret', () => {
  test.each<[string, Situation, Situation, string]>([
    ['both go on', steady, steady, 'present with a b'],
    ['one is new', steady, { selects: true, known: true }, 'present with a b'],
    ['one is new and cannot be read: it does not stop the other', steady, { selects: true }, 'present with a'],
    ['one cannot be read any more: its entries are not lost', steady, { ...steady, known: false }, 'held for b'],
    ['neither can be read', { ...steady, known: false }, { ...steady, known: false }, 'held for a for b'],
    ['both are new and neither can be read', { selects: true }, { selects: true }, 'held for a for b'],
    ['one leaves', steady, { known: true, feeds: true }, 'present with a'],
    ['one leaves and cannot be read', steady, { feeds: true }, 'present with a'],
    ['one leaves, the other cannot be read', { known: true, feeds: true }, { ...steady, known: false }, 'held for b'],
    ['one is suspended: its entries stay', steady, { ...steady, frozen: true }, 'present with a b'],
    ['one is suspended and was never there', steady, { selects: true, known: true, frozen: true }, 'present with a'],
    [
      'one is suspended and not known: its entries are not lost',
      steady,
      { ...steady, known: false, frozen: true },
      'held for b',
    ],
    ['one is suspended, not known and was never there', steady, { selects: true, frozen: true }, 'present with a'],
    [
      'one is suspended and selects no longer: what is written is not made of it',
      steady,
      { known: true, feeds: true, frozen: true },
      'present with a',
    ],
    ['one is suspended, the other leaves', { known: true, feeds: true }, { ...steady, frozen: true }, 'present with b'],
    [
      'one is suspended and was never there, the other leaves',
      { known: true, feeds: true },
      { selects: true, known: true, frozen: true },
      'absent',
    ],
    ['one is new and cannot be read, the other leaves', { selects: true }, { known: true, feeds: true }, 'absent'],
    [
      'one is new and cannot be read, the other is deleted with Orphan',
      { selects: true },
      { ...steady, deleting: true, orphan: true },
      'released',
    ],
    ['both are suspended', { ...steady, frozen: true }, { ...steady, frozen: true }, 'held'],
    ['one is deleted', steady, { ...steady, deleting: true }, 'present with a'],
    ['one is deleted with Orphan', steady, { ...steady, deleting: true, orphan: true }, 'present with a'],
    [
      'one is deleted, the other cannot be read',
      { ...steady, known: false },
      { ...steady, deleting: true },
      'held for a',
    ],
    [
      'one is deleted, the other suspended',
      { ...steady, frozen: true },
      { ...steady, deleting: true },
      'present with a',
    ],
    ['both are deleted', { ...steady, deleting: true }, { ...steady, deleting: true }, 'absent'],
    [
      'both are deleted, one with Orphan',
      { ...steady, deleting: true },
      { ...steady, deleting: true, orphan: true },
      'released',
    ],
  ])('%s', (_, a, b, expected) => {
    expect(said(desired({ a, b }))).toBe(expected)
    expect(said(desired({ b, a }))).toBe(expected)
  })
})

test('without any credential a Secret should not be there', () => {
  expect(said(desired({}, true))).toBe('absent')
  expect(said(desired({}))).toBe('absent')
})

test('who selects is told in every state, without those who are suspended, deleted, or for another Secret', () => {
  const situations: Record<string, Situation> = {
    a: { selects: true },
    b: steady,
    c: { ...steady, frozen: true },
    d: { ...steady, deleting: true },
    e: { ...steady, moved: true },
    f: { known: true, feeds: true },
  }
  expect([...desired(situations).selectedBy].map(({ credential: { name } }) => name)).toEqual(['a', 'b'])
})

test('one that may not write the Secret name it asks for counts as suspended', () => {
  const moved = state(credential('a', { secretName: 'forbidden' }), { entries: entriesFor('a', 'a.io'), frozen: true })
  expect(said(desiredSecret('regcred', namespace(), [moved], madeOf('a')))).toBe('held')
})

test('what was made of an object with the same name but another uid is nobody’s', () => {
  const reborn = { ...credential('a', { deletionPolicy: 'Orphan' }, { deleting: true }), uid: 'another' }
  expect(desiredSecret('regcred', namespace(), [state(reborn)], madeOf('a')).state).toBe('absent')
})

describe('a Secret that claims a credential without proof', () => {
  const everywhere = credential('a', { suspend: true })
  const elsewhere = credential('a', { suspend: true, namespaces: { include: ['elsewhere'], optIn: true } })
  const other = state(credential('b'), { entries: entriesFor('b', 'b.io') })

  test('is believed where the credential selects the namespace, and the Secret is ours', () => {
    const claiming = { ...madeOf('a'), proven: false }
    expect(feeds(everywhere, namespace(), claiming)).toBe(true)
    expect(feeds(everywhere, namespace(), { ...claiming, ours: false })).toBe(false)
    expect(feeds(elsewhere, namespace(), claiming)).toBe(false)
    expect(feeds(elsewhere, namespace(), { ...claiming, proven: true })).toBe(true)
    expect(feeds(elsewhere, namespace(), undefined)).toBe(false)
  })

  test('does not get the entries of one that is suspended and not for its namespace', () => {
    const asleep = state(elsewhere, { entries: entriesFor('a', 'a.io') })
    const forged = { ...madeOf('a', 'b'), proven: false }
    expect(said(desiredSecret('regcred', namespace(), [asleep, other], forged))).toBe('present with b')
    expect(said(desiredSecret('regcred', namespace(), [asleep], forged))).toBe('absent')
  })

  test('does not make anybody stay who has to go, by naming one of whom nothing is known', () => {
    const gone = state(credential('a', {}, { deleting: true }), { entries: entriesFor('a', 'a.io') })
    const never = state(credential('c'))
    const forged = { ...madeOf('a', 'c'), proven: false }
    expect(said(desiredSecret('regcred', namespace(), [gone, never, other], forged))).toBe('present with b')
    expect(said(desiredSecret('regcred', namespace(), [never, other], forged))).toBe('held for c')
    expect(said(desiredSecret('regcred', namespace(), [gone, never, other], { ...forged, proven: true }))).toBe(
      'held for c',
    )
  })

  test('keeps those of one that is suspended and for its namespace', () => {
    const asleep = state(everywhere, { entries: entriesFor('a', 'a.io') })
    const lost = { ...madeOf('a', 'b'), proven: false }
    expect(said(desiredSecret('regcred', namespace(), [asleep, other], lost))).toBe('present with a b')
    expect(said(desiredSecret('regcred', namespace(), [asleep], lost))).toBe('held')
  })
})

const situation = fc.record({
  selects: fc.boolean(),
  known: fc.boolean(),
  feeds: fc.boolean(),
  frozen: fc.boolean(),
  deleting: fc.boolean(),
  orphan: fc.boolean(),
  moved: fc.boolean(),
})
/** Some credentials, and the Secret as some of them and others have left it. */
const worlds = fc.tuple(fc.array(situation, { maxLength: 5 }), fc.boolean()).map(([situations, foreign]) => {
  const named = situations.map((each, index) => ({ ...each, name: `c${index}` }))
  const made = madeOf(...named.filter(({ feeds }) => feeds).map(({ name }) => name))
  const observed = { ...made, mark: 'old', foreignOwners: foreign ? [foreignOwner] : [] }
  return { situations: named, states: named.map((each) => stateOf(each.name, each)), observed }
})

describe('for any credentials', () => {
  test('the Secret is left alone while the entries of one who feeds it, and is to stay, are not known', () => {
    fc.assert(
      fc.property(worlds, ({ situations, states, observed }) => {
        const missing = situations.filter(
          ({ known, feeds, deleting, frozen, selects, moved }) =>
            !known && feeds && !deleting && selects && (frozen || !moved),
        )
        fc.pre(missing.length > 0)
        const is = desiredSecret('regcred', namespace(), states, observed)
        expect(is.state === 'held' && is.waitsFor).toEqual(expect.arrayContaining(missing.map(({ name }) => name)))
        expect(secretChange(is, observed, undefined)).toBe('none')
      }),
      { numRuns: 2000, maxSkipsPerRun: 1000 },
    )
  })

  test('a Secret that should be there is made of known entries: of all who select it, and of the suspended who feed it', () => {
    fc.assert(
      fc.property(worlds, ({ situations, states, observed }) => {
        const is = desiredSecret('regcred', namespace(), states, observed)
        fc.pre(is.state === 'present')
        for (const { entries } of is.contributors) expect(entries).toBeDefined()
        const staying = situations.filter(
          ({ known, feeds, deleting, frozen, selects, moved }) =>
            known && !deleting && selects && (frozen ? feeds : !moved),
        )
        expect(is.contributors.map(({ credential: { uid } }) => uid)).toEqual(staying.map(({ name }) => uidOf(name)))
      }),
      { numRuns: 2000, maxSkipsPerRun: 1000 },
    )
  })

  test('a Secret goes only when nobody who feeds it is to stay, and it is of no use to those who select it', () => {
    fc.assert(
      fc.property(worlds, ({ situations, states, observed }) => {
        const { state: is } = desiredSecret('regcred', namespace(), states, observed)
        const staying = situations.filter(
          ({ deleting, frozen, feeds, selects, moved }) => !deleting && ((selects && !moved) || (frozen && feeds)),
        )
        const leaving = situations.some((each) => each.feeds && !staying.includes(each))
        const wanted = staying.some(
          ({ feeds, known, frozen, selects }) => (feeds && selects) || (known && !frozen) || !leaving,
        )
        expect(is === 'absent' || is === 'released').toBe(!wanted)
      }),
      { numRuns: 2000 },
    )
  })

  test('one that cannot be read, and feeds nothing, changes nothing for those that can', () => {
    fc.assert(
      fc.property(worlds, ({ states, observed }) => {
        const before = desiredSecret('regcred', namespace(), states, observed)
        fc.pre(before.state === 'present')
        const after = desiredSecret('regcred', namespace(), [...states, stateOf('new', { selects: true })], observed)
        expect(said(after)).toBe(said(before))
      }),
      { maxSkipsPerRun: 1000 },
    )
  })

  test('who selects is the living, unsuspended, selecting ones, and their order makes no difference', () => {
    fc.assert(
      fc.property(worlds, ({ states, observed }) => {
        const is = desiredSecret('regcred', namespace(), states, observed)
        const selecting = states.filter(
          ({ credential: each, frozen }) =>
            !each.deleting && !frozen && each.secretName === 'regcred' && selectsNamespace(each, namespace()),
        )
        expect([...is.selectedBy]).toEqual(selecting)
        const turned = desiredSecret('regcred', namespace(), [...states].reverse(), observed)
        expect(said(turned)).toBe(said(is))
      }),
    )
  })
})
