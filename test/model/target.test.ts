import { describe, expect, test } from '@jest/globals'
import { type CredentialState, desiredSecret } from '../../src/model/desired.ts'
import type { RecognizedSecret } from '../../src/model/observed.ts'
import { noVersion, type Outcome, pending } from '../../src/model/outcome.ts'
import { secretChange } from '../../src/model/secret-change.ts'
import { outcomeOf, type Target } from '../../src/model/target.ts'
import { credential, entriesFor, madeOf, namespace, secret, state } from './builders.ts'

const a = state(credential('a'), { entries: entriesFor('a', 'a.io') })
const b = state(credential('b'), { entries: entriesFor('b', 'b.io') })
const elsewhere = { namespaces: { include: ['elsewhere'], optIn: true } }
const leaving = state(credential('c', elsewhere), { entries: entriesFor('c', 'c.io') })
const all = [a, b, leaving]
const problem = { reason: 'Forbidden', message: 'refused' }

function wantedOf(madeOf: readonly CredentialState[]): NonNullable<Target['wanted']> {
  return { mark: 'mark', madeOf, overlaps: new Map(madeOf.map(({ credential }) => [credential.name, []])) }
}

/** The target `regcred`, for which a and b are; what is wanted is made of them unless said otherwise. */
function target(observed: RecognizedSecret | undefined, facts: Partial<Target> = {}): Target {
  const desired = desiredSecret('regcred', namespace(), all, observed)
  const wanted = desired.state === 'present' ? wantedOf(desired.contributors) : undefined
  const change = secretChange(desired, observed, wanted)
  const available = observed?.ours === true
  return {
    desired,
    observed,
    change,
    wanted,
    mayBeSource: false,
    isWritten: wanted !== undefined && change === 'none',
    available,
    failure: undefined,
    stuck: undefined,
    contended: undefined,
    ...facts,
  }
}

const linked = () => ({ selected: 2, linked: 2 })

function outcome(of: typeof a, target: Target, countLinks = linked): Outcome | undefined {
  return outcomeOf(of, namespace(), [target], countLinks)
}

describe('a credential that selects the namespace', () => {
  test('is up to date when its entries are in and all its ServiceAccounts refer to the Secret', () => {
    const outcomeOfA = outcome(a, target(madeOf('a', 'b')))
    expect(outcomeOfA).toEqual({
      version: 1,
      replaced: 1,
      selected: true,
      failure: undefined,
      contended: undefined,
      serviceAccounts: { selected: 2, linked: 2 },
      overlaps: [],
    })
  })

  test('fails where somebody keeps undoing what is written, also while it is as it should be', () => {
    const contended = { kind: 'ServiceAccount', name: 'default', manager: 'argocd-controller' } as const
    const inOrder = target(madeOf('a', 'b'), { contended })
    expect(outcome(a, inOrder)).toMatchObject({
      contended,
      failure: {
        reason: 'Contended',
        message: expect.stringMatching(/^ServiceAccount default: .* \(managedFields name argocd-controller\)/),
      },
    })
    expect(outcome(a, { ...inOrder, failure: problem })).toMatchObject({ contended, failure: problem })
    expect(outcome(leaving, inOrder)).toBeUndefined()
  })

  test('is not up to date while a reference is missing, without that being a failure', () => {
    const missing = () => ({ selected: 2, linked: 1 })
    expect(outcome(a, target(madeOf('a', 'b')), missing)).toMatchObject({ version: noVersion, failure: undefined })
  })

  test('hears of what went wrong with the Secret or the references, also where its entries are in', () => {
    expect(outcome(a, target(madeOf('a', 'b'), { failure: problem }))?.failure).toBe(problem)
    expect(outcome(a, target(madeOf('a', 'b'), { stuck: problem }))?.failure).toBe(problem)
  })

  test('is told of a foreign Secret in its place, and what to do', () => {
    expect(outcome(a, target(secret()))?.failure).toEqual({
      reason: 'NotOwned',
      message: expect.stringContaining('regcred.dev/adopt=true'),
    })
    expect(outcome(a, target(secret(), { mayBeSource: true }))?.failure?.reason).toBe('SourceSecret')
  })

  test('is told who keeps a Secret that is being deleted', () => {
    const kept = { ...madeOf('a', 'b'), deleting: true, finalizers: ['example.com/one', 'example.com/two'] }
    expect(outcome(a, target(kept))).toMatchObject({
      version: noVersion,
      failure: { reason: 'SecretTerminating', message: expect.stringContaining('example.com/one, example.com/two') },
    })
  })

  test('hears whose source holds up the Secret, unless it is its own, of which it hears elsewhere', () => {
    const unread = { ...b, entries: undefined }
    const observed = madeOf('a', 'b')
    const desired = desiredSecret('regcred', namespace(), [a, unread], observed)
    const held: Target = {
      ...target(observed),
      desired,
      change: secretChange(desired, observed, undefined),
      wanted: undefined,
    }
    expect(outcome(a, held)).toMatchObject({
      version: noVersion,
      failure: { reason: 'WaitingForSource', message: expect.stringContaining('the source of b cannot be read') },
    })
    expect(outcome(unread, held)).toMatchObject({ version: noVersion, failure: undefined })
  })

  test('that does not fit into the Secret is told so, the others are up to date', () => {
    const full = target(madeOf('a'), { change: 'none', wanted: wantedOf([a]) })
    expect(outcome(a, full)).toMatchObject({ version: 1, failure: undefined })
    expect(outcome(b, full)).toMatchObject({
      version: noVersion,
      failure: { reason: 'TooLarge', message: expect.stringContaining('spec.secretName') },
    })
  })

  test('is up to date by its name, whichever record of the same version the Secret was made of', () => {
    const same = target(madeOf('a', 'b'), { wanted: wantedOf([{ ...a }, { ...b }]) })
    expect(outcome(a, same)).toMatchObject({ version: 1, failure: undefined })
  })

  test('hears only of its own overlaps', () => {
    const ofA = [{ key: 'ghcr.io', winner: 'a', loser: 'b' }]
    const ofB = [...ofA, { key: 'quay.io', winner: 'b', loser: 'x' }]
    const some = target(madeOf('a', 'b'))
    const overlaps = new Map([
      ['a', ofA],
      ['b', ofB],
    ])
    const overlapping = { ...some, wanted: { ...wantedOf([a, b]), overlaps } }
    expect(outcome(a, overlapping)?.overlaps).toEqual(ofA)
    expect(outcome(b, overlapping)?.overlaps).toEqual(ofB)
  })
})

describe('an older login may be left', () => {
  const old = { ...madeOf('a', 'b'), mark: 'old mark' }
  test.each<[string, Target]>([
    ['where the new one could not be written', target(old, { failure: problem })],
    ['in a Secret that is on its way out', target({ ...old, deleting: true })],
    ['in a Secret that waits for a neighbour', target(old, { change: 'none', wanted: undefined })],
    [
      'where there is a Secret that is not seen yet',
      target(undefined, { failure: { ...problem, reason: 'Conflict' } }),
    ],
    ['where it could not be taken out', target(madeOf('a', 'c'), { change: 'delete', stuck: problem })],
  ])('%s', (_, each) => {
    expect(outcome(a, each)?.replaced).toBe(noVersion)
  })

  test('where the namespace has not been looked at yet', () => {
    expect(pending(true).replaced).toBe(noVersion)
  })
})

describe('no older login is left', () => {
  const old = { ...madeOf('a', 'b'), mark: 'old mark' }
  const contended = { kind: 'Secret', name: 'regcred', manager: 'argocd-controller' } as const
  test.each<[string, Target]>([
    ['where the new one has just been written', target(old, { isWritten: true })],
    ['where the Secret is not ours', target(secret())],
    ['where there is none, and none can be made', target(undefined, { failure: problem })],
    ['where others undo what is written again and again', target(old, { isWritten: true, contended })],
    ['where only a reference is missing', target(madeOf('a', 'b'), { failure: problem })],
    ['in a Secret of others alone', target(madeOf('b'), { failure: problem })],
  ])('%s', (_, each) => {
    expect(outcome(a, each)?.replaced).toBe(1)
  })
})

describe('a credential that does not select the namespace', () => {
  test('has nothing there', () => {
    expect(outcome(leaving, target(madeOf('a', 'b')))).toBeUndefined()
  })

  test('is not held by what is wrong with the Secret of its neighbours', () => {
    expect(outcome(leaving, target(madeOf('a', 'b'), { failure: problem }))).toBeUndefined()
    expect(outcome(leaving, target(secret()))).toBeUndefined()
  })

  test('is held as long as its entries cannot be taken out', () => {
    expect(outcome(leaving, target(madeOf('a', 'c'), { failure: problem }))).toEqual({
      version: 1,
      replaced: noVersion,
      selected: false,
      failure: problem,
      contended: undefined,
      serviceAccounts: { selected: 0, linked: 0 },
      overlaps: [],
    })
    expect(outcome(leaving, target(madeOf('a', 'c')))).toBeUndefined() // they have just been
  })

  test('is held as long as a reference that may be its own cannot be taken off', () => {
    const ended = state(credential('c', {}, { deleting: true }), { entries: entriesFor('c', 'c.io') })
    expect(outcome(ended, target(madeOf('a', 'b'), { stuck: problem }))?.failure).toBe(problem)
    const other = { ...ended, credential: { ...ended.credential, secretName: 'other' } }
    expect(outcomeOf(other, namespace(), [target(madeOf('a', 'b'), { stuck: problem })], linked)).toBeUndefined()
  })

  test('is not held by the references of a namespace that it is not for', () => {
    expect(outcome(leaving, target(madeOf('a', 'b'), { stuck: problem }))).toBeUndefined()
  })

  test('is not held by a Secret that is on its way out', () => {
    const going = { ...madeOf('a', 'c'), deleting: true, finalizers: ['example.com/one'] }
    expect(outcome(leaving, target(going))).toBeUndefined()
  })

  test('does not count what a foreign Secret claims to be made of', () => {
    const claiming = { ...madeOf('c'), proven: false }
    expect(outcome(leaving, target(claiming, { failure: problem }))).toBeUndefined()
  })

  test('that is suspended keeps what it has brought about', () => {
    const asleep = { ...leaving, frozen: true }
    expect(outcomeOf(asleep, namespace(), [target(madeOf('a', 'c'))], linked)).toMatchObject({
      selected: true,
      failure: undefined,
    })
    expect(outcomeOf(asleep, namespace(), [target(madeOf('a'))], linked)).toBeUndefined()
  })
})
