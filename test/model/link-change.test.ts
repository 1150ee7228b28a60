import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CredentialState, DesiredSecret } from '../../src/model/desired.ts'
import {
  desiredLink,
  isFull,
  isPending,
  type Link,
  type LinkChange,
  leftoverLink,
  linkChange,
} from '../../src/model/link-change.ts'
import type { ObservedServiceAccount } from '../../src/model/observed.ts'
import { credential, entriesFor, namespace, serviceAccount, state } from './builders.ts'
import { kubeName } from './names.ts'

const forDefault = state(credential('a'), { entries: entriesFor('a', 'a.io') })
const forDeploy = state(credential('b', { serviceAccounts: ['deploy'] }), { entries: entriesFor('b', 'b.io') })
const frozen = state(credential('c', { suspend: true }), { entries: entriesFor('c', 'c.io') })

function present(selectedBy: CredentialState[], contributors = selectedBy): DesiredSecret {
  return { name: 'regcred', selectedBy: new Set(selectedBy), state: 'present', contributors }
}
function held(selectedBy: CredentialState[]): DesiredSecret {
  return { name: 'regcred', selectedBy: new Set(selectedBy), state: 'held', waitsFor: [] }
}

describe('the reference of the ServiceAccount default', () => {
  test.each<[string, DesiredSecret, { available: Link; missing: Link }]>([
    ['a credential selects it', present([forDefault]), { available: 'add', missing: 'keep' }],
    ['one of two credentials selects it', present([forDeploy, forDefault]), { available: 'add', missing: 'keep' }],
    ['no credential selects it', present([forDeploy]), { available: 'remove', missing: 'remove' }],
    [
      'one that is suspended selects it',
      present([forDeploy], [forDeploy, frozen]),
      { available: 'keep', missing: 'keep' },
    ],
    ['the Secret is held and a credential selects it', held([forDefault]), { available: 'add', missing: 'keep' }],
    ['the Secret is held and none selects it', held([forDeploy]), { available: 'keep', missing: 'keep' }],
    ['the Secret is held and nobody is active', held([]), { available: 'keep', missing: 'keep' }],
    [
      'the Secret should be gone',
      { name: 'regcred', selectedBy: new Set(), state: 'absent' },
      { available: 'remove', missing: 'remove' },
    ],
    [
      'the Secret should be gone until the login of a credential that selects it is there',
      { name: 'regcred', selectedBy: new Set([forDefault]), state: 'absent' },
      { available: 'keep', missing: 'keep' },
    ],
    [
      'the Secret should be gone, and is to come for others',
      { name: 'regcred', selectedBy: new Set([forDeploy]), state: 'absent' },
      { available: 'remove', missing: 'remove' },
    ],
    [
      'the Secret is released',
      { name: 'regcred', selectedBy: new Set(), state: 'released' },
      { available: 'release', missing: 'release' },
    ],
  ])('when %s', (_, desired, links) => {
    const account = serviceAccount()
    expect({ available: desiredLink(desired, true, account), missing: desiredLink(desired, false, account) }).toEqual(
      links,
    )
  })

  test('goes when the ServiceAccount opts out, but for a Secret that is held', () => {
    const account = serviceAccount({ optedOut: true })
    expect(desiredLink(present([forDefault]), true, account)).toBe('remove')
    expect(desiredLink(present([forDeploy], [forDeploy, frozen]), true, account)).toBe('remove')
    expect(desiredLink(held([forDefault]), true, account)).toBe('keep')
  })
})

describe('the reference to a Secret whose name this installation does not allow', () => {
  const old = { secretName: 'old' }
  test.each<[string, ReturnType<typeof credential>[], Link]>([
    ['goes when no credential wants it', [credential('a')], 'remove'],
    ['stays as long as one asks for it', [credential('a'), credential('b', old)], 'keep'],
    [
      'goes when that one is for other namespaces',
      [credential('b', { ...old, namespaces: { include: ['elsewhere'], optIn: true } })],
      'remove',
    ],
    ['goes with the credential', [credential('b', old, { deleting: true })], 'remove'],
    [
      'is released with one that asks for Orphan',
      [credential('b', { ...old, deletionPolicy: 'Orphan' }, { deleting: true })],
      'release',
    ],
  ])('%s', (_, credentials, link) => {
    const states = credentials.map((each) => state(each, { frozen: each.secretName === 'old' }))
    expect(leftoverLink('old', namespace(), states)).toBe(link)
  })
})

test('a link is pending when it asks for a write', () => {
  const some = serviceAccount({ pullSecrets: ['git', 'regcred'], managed: ['regcred', 'gone'] })
  const pending = (link: Link) => ['git', 'regcred', 'gone', 'new'].filter((name) => isPending(link, name, some))
  expect(pending('add')).toEqual(['gone', 'new'])
  expect(pending('remove')).toEqual(['regcred', 'gone'])
  expect(pending('release')).toEqual(['regcred', 'gone'])
  expect(pending('keep')).toEqual([])
})

/** @param list names in order; those in parentheses are somebody else's */
function account(list: string, managed?: string[]): ObservedServiceAccount {
  const items = list.split(' ').filter((item) => item !== '')
  return serviceAccount({
    pullSecrets: items.map((item) => item.replace(/[()]/g, '')),
    managed: managed ?? [...new Set(items.filter((item) => !item.startsWith('(')))],
  })
}

describe('the list is changed:', () => {
  test.each<[string, ObservedServiceAccount, Record<string, Link>, LinkChange | undefined]>([
    ['added to an empty one', account(''), { regcred: 'add' }, { pullSecrets: ['regcred'], managed: ['regcred'] }],
    [
      'added at the end',
      account('(git)'),
      { regcred: 'add' },
      { pullSecrets: ['git', 'regcred'], managed: ['regcred'] },
    ],
    [
      'several added, sorted',
      account('(git)'),
      { z: 'add', b: 'add' },
      { pullSecrets: ['git', 'b', 'z'], managed: ['b', 'z'] },
    ],
    [
      'added beside another of ours',
      account('regcred (git)'),
      { regcred: 'add', b: 'add' },
      { pullSecrets: ['regcred', 'git', 'b'], managed: ['b', 'regcred'] },
    ],
    [
      'put back where it was taken out',
      account('(git)', ['regcred']),
      { regcred: 'add' },
      { pullSecrets: ['git', 'regcred'], managed: ['regcred'] },
    ],
    ['not, where it is there', account('(git) regcred'), { regcred: 'add' }, undefined],
    [
      'not, where somebody else has added it: it is not ours then',
      account('(git) (regcred)'),
      { regcred: 'add' },
      undefined,
    ],
    ['taken out', account('(git) regcred (x)'), { regcred: 'remove' }, { pullSecrets: ['git', 'x'], managed: [] }],
    [
      'taken out twice, where it stands twice',
      account('regcred (git) regcred'),
      { regcred: 'remove' },
      { pullSecrets: ['git'], managed: [] },
    ],
    ['not, where somebody else has added what should go', account('(git) (regcred)'), { regcred: 'remove' }, undefined],
    [
      'only in the annotation, where it is gone already',
      account('(git)', ['regcred']),
      { regcred: 'remove' },
      { pullSecrets: ['git'], managed: [] },
    ],
    [
      'only in the annotation, where it is released',
      account('(git) regcred'),
      { regcred: 'release' },
      { pullSecrets: ['git', 'regcred'], managed: [] },
    ],
    ['not, where nothing is to be released', account('(git) (regcred)'), { regcred: 'release' }, undefined],
    ['not, where it is kept', account('(git) regcred'), { regcred: 'keep' }, undefined],
    ['not, where it is kept and missing', account('(git)', ['regcred']), { regcred: 'keep' }, undefined],
    ['not, where nothing is said', account('(git) regcred'), {}, undefined],
    [
      'one in, one out',
      account('old (git)'),
      { old: 'remove', regcred: 'add' },
      { pullSecrets: ['git', 'regcred'], managed: ['regcred'] },
    ],
    [
      'without touching an entry without a name',
      serviceAccount({ pullSecrets: ['', 'git'] }),
      { regcred: 'add' },
      { pullSecrets: ['', 'git', 'regcred'], managed: ['regcred'] },
    ],
    [
      'into the annotation’s one order',
      account('(git)', ['b', 'a']),
      {},
      { pullSecrets: ['git'], managed: ['a', 'b'] },
    ],
  ])('%s', (_, observed, links, change) => {
    expect(linkChange(observed, new Map(Object.entries(links)))).toEqual(change)
  })
})

const names = fc.constantFrom('regcred', 'second', 'git', 'mine', '')
/** Names of all lengths, of which some are ours, some are somebody else's, and some are both. */
const anyNames = fc
  .uniqueArray(kubeName, { minLength: 1, maxLength: 8 })
  .chain((all) =>
    fc.tuple(
      fc.record({ pullSecrets: fc.shuffledSubarray(all), managed: fc.subarray(all) }).map(serviceAccount),
      fc.array(fc.tuple(fc.constantFrom(...all), fc.constantFrom<Link>('add', 'keep', 'remove', 'release'))),
    ),
  )
const accounts = fc
  .record({
    pullSecrets: fc.array(names, { maxLength: 6 }),
    managed: fc.uniqueArray(fc.constantFrom('regcred', 'second', 'git')),
  })
  .map(serviceAccount)
const links = fc
  .dictionary(fc.constantFrom('regcred', 'second', 'git'), fc.constantFrom<Link>('add', 'keep', 'remove', 'release'))
  .map((each) => new Map(Object.entries(each)))

function applied(observed: ObservedServiceAccount, change: LinkChange | undefined): ObservedServiceAccount {
  return { ...observed, ...change }
}

describe('for any ServiceAccount', () => {
  test('nobody else’s entry is lost, doubled or moved, and what is new stands at the end', () => {
    fc.assert(
      fc.property(accounts, links, (observed, wanted) => {
        const after = applied(observed, linkChange(observed, wanted)).pullSecrets
        const gone = (name: string) => wanted.get(name) === 'remove' && observed.managed.includes(name)
        const stays = observed.pullSecrets.filter((name) => !gone(name))
        expect(after.slice(0, stays.length)).toEqual(stays)
        for (const name of after.slice(stays.length)) {
          expect(wanted.get(name)).toBe('add')
          expect(observed.pullSecrets).not.toContain(name)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('what is to be added is there, and what is to be removed is gone or was never ours', () => {
    fc.assert(
      fc.property(accounts, links, (observed, wanted) => {
        const after = applied(observed, linkChange(observed, wanted))
        for (const [name, link] of wanted) {
          if (link === 'add') expect(after.pullSecrets).toContain(name)
          if (link === 'remove' && observed.managed.includes(name)) expect(after.pullSecrets).not.toContain(name)
          if (link === 'remove' || link === 'release') expect(after.managed).not.toContain(name)
        }
      }),
    )
  })

  test('the annotation names only what it named before, or what was added now, in one order', () => {
    fc.assert(
      fc.property(accounts, links, (observed, wanted) => {
        const { managed } = applied(observed, linkChange(observed, wanted))
        const change = linkChange(observed, wanted)
        if (change) expect(managed).toEqual([...new Set(managed)].sort())
        for (const name of managed) {
          const added = wanted.get(name) === 'add' && !observed.pullSecrets.includes(name)
          expect(added || observed.managed.includes(name)).toBe(true)
        }
      }),
    )
  })

  test('a change once made is not asked for again', () => {
    fc.assert(
      fc.property(accounts, links, (observed, wanted) => {
        const change = linkChange(observed, wanted)
        expect(linkChange(applied(observed, change), wanted)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  test('with names of any length, what is foreign is never taken off nor moved, and nothing is left to do', () => {
    fc.assert(
      fc.property(anyNames, ([observed, wanted]) => {
        const links = new Map(wanted)
        const after = applied(observed, linkChange(observed, links))
        const foreign = ({ pullSecrets }: LinkChange) => pullSecrets.filter((name) => !observed.managed.includes(name))
        expect(foreign(after).slice(0, foreign(observed).length)).toEqual(foreign(observed))
        expect(linkChange(after, links)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  test('the order in which links are told makes no difference', () => {
    fc.assert(
      fc.property(anyNames, ([observed, wanted]) => {
        const links = [...new Map(wanted)]
        expect(linkChange(observed, new Map(links.toReversed()))).toEqual(linkChange(observed, new Map(links)))
      }),
    )
  })

  test('adding and then removing gives back the list', () => {
    fc.assert(
      fc.property(accounts, (observed) => {
        fc.pre(!observed.pullSecrets.includes('regcred') && !observed.managed.includes('regcred'))
        const added = applied(observed, linkChange(observed, new Map([['regcred', 'add']])))
        const removed = applied(added, linkChange(added, new Map([['regcred', 'remove']])))
        expect(removed.pullSecrets).toEqual(observed.pullSecrets)
        expect(removed.managed).toEqual([...observed.managed].sort())
      }),
      { maxSkipsPerRun: 1000 },
    )
  })
})

test('to a list of 256 entries nothing is added, and what is ours is still taken off', () => {
  const others = Array.from({ length: 255 }, (_, index) => `other-${index}`)
  const add = new Map<string, Link>([['regcred', 'add']])
  expect(linkChange(serviceAccount({ pullSecrets: others }), add)?.pullSecrets).toHaveLength(256)
  const full = serviceAccount({ pullSecrets: [...others, 'one-more'] })
  expect([linkChange(full, add), isFull(full)]).toEqual([undefined, true])
  const linked = serviceAccount({ pullSecrets: [...others, 'regcred'], managed: ['regcred'] })
  expect(linkChange(linked, new Map([['regcred', 'remove']]))?.pullSecrets).toEqual(others)
})
