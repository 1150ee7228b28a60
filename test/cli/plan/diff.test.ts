import { expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../../src/api/registry-credential.ts'
import { inUse, knownState } from '../../../src/cli/known-state.ts'
import { diffOf } from '../../../src/cli/plan/diff.ts'
import { secretKey, type World } from '../../../src/cli/plan/simulate.ts'
import type { CredentialState } from '../../../src/model/desired.ts'
import type { RecognizedSecret } from '../../../src/model/observed.ts'
import { credential, madeOf, namespace, secret, serviceAccount, uidOf } from '../../model/builders.ts'

const linked = serviceAccount({ pullSecrets: ['regcred'], managed: ['regcred'] })

function state(
  name: string,
  {
    keys = ['ghcr.io'],
    content = inUse,
    spec = {},
    deleting = false,
  }: { keys?: string[]; content?: string; spec?: Partial<RegistryCredentialSpec>; deleting?: boolean } = {},
): CredentialState {
  return knownState(credential(name, spec, { deleting }), { keys, content }, (each) => each === 'regcred')
}

/** As the operator has written it, with the mark of these credentials. */
function copyOf(...names: string[]): RecognizedSecret {
  return { ...madeOf(...names), mark: `hash:${names.map(uidOf)}:signature` }
}

/** The namespace team-a, with one Secret and one ServiceAccount. */
function world(
  states: CredentialState[],
  copy: RecognizedSecret | undefined,
  account = linked,
  of: Partial<World> = {},
): World {
  return {
    states,
    namespaces: [namespace()],
    serviceAccounts: new Map([['team-a', [account]]]),
    secrets: new Map(copy && [[secretKey('team-a', 'regcred'), copy]]),
    secretNames: ['regcred'],
    operatorNamespace: 'regcred-system',
    ...of,
  }
}

function diff(before: World, states: CredentialState[], of: Partial<World> = {}) {
  const { namespaces, pending } = diffOf(before, { ...before, states, ...of })
  const [only, ...others] = namespaces
  expect(others).toEqual([])
  return {
    secrets: only?.secrets,
    accounts: only?.serviceAccounts,
    problems: only?.problems.map(({ reason }) => reason),
    pending,
  }
}

const nothing = { secrets: undefined, accounts: undefined, problems: undefined, pending: 0 }

test('the same credentials change nothing', () => {
  expect(diff(world([state('hub')], copyOf('hub')), [state('hub')])).toEqual(nothing)
})

test('another login under the same keys may change the content', () => {
  const { secrets, accounts } = diff(world([state('hub')], copyOf('hub')), [state('hub', { content: 'another' })])
  const entries = [{ key: 'ghcr.io', change: 'mayChange', credential: 'hub' }]
  expect([secrets, accounts]).toEqual([[{ name: 'regcred', action: 'update', entries }], []])
})

test('a priority that changes who wins changes that entry alone', () => {
  const [a, b] = [state('a', { keys: ['ghcr.io', 'quay.io'] }), state('b')]
  const { secrets } = diff(world([a, b], copyOf('a', 'b')), [a, state('b', { spec: { priority: 1 } })])
  const entries = [{ key: 'ghcr.io', change: 'changed', credential: 'b', previous: 'a' }]
  expect(secrets).toEqual([{ name: 'regcred', action: 'update', entries }])
})

test('a credential whose entries all lose changes the marks alone', () => {
  const { secrets } = diff(world([state('a')], copyOf('a')), [state('a'), state('b')])
  expect(secrets).toEqual([{ name: 'regcred', action: 'update', entries: [] }])
})

test('what the operator has to do anyway is counted apart', () => {
  const behind = world([state('a')], undefined, serviceAccount())
  expect(diff(behind, [state('a')])).toEqual({ ...nothing, pending: 2 })
  const { secrets, accounts, pending } = diff(behind, [state('a'), state('b', { keys: ['quay.io'] })])
  expect([secrets?.map(({ action }) => action), accounts, pending]).toEqual([['create'], [], 1])
})

test('a Secret that was handed over is taken', () => {
  const { secrets } = diff(world([], secret({ adoptable: true }), serviceAccount()), [state('hub')])
  expect(secrets).toMatchObject([{ action: 'take', entries: [{ key: 'ghcr.io', change: 'added' }] }])
})

test('a foreign Secret is left alone, and with it the ServiceAccount', () => {
  const { secrets, accounts, problems } = diff(world([], secret(), serviceAccount()), [state('hub')])
  expect([secrets, accounts, problems]).toEqual([[], [], ['NotOwned']])
})

test('what may be a source in the operator’s own namespace is not written', () => {
  const before = world([], copyOf('hub'), serviceAccount(), { operatorNamespace: 'team-a' })
  const { problems } = diff(before, [state('hub', { spec: { source: { secretRef: { name: 'regcred' } } } })])
  expect(problems).toEqual(['SourceSecret'])
})

test('a ServiceAccount whose list is full gets no more', () => {
  const full = serviceAccount({ pullSecrets: Array.from({ length: 256 }, (_, index) => `s${index}`) })
  const { secrets, accounts, problems } = diff(world([], undefined, full), [state('hub')])
  expect([secrets?.length, accounts, problems]).toEqual([1, [], ['TooManyPullSecrets']])
})

test('deleting takes away what others do not need', () => {
  const before = world([state('a'), state('b', { keys: ['quay.io'] })], copyOf('a', 'b'))
  const { secrets, accounts } = diff(before, [state('a'), state('b', { keys: ['quay.io'], deleting: true })])
  expect([secrets, accounts]).toEqual([
    [{ name: 'regcred', action: 'update', entries: [{ key: 'quay.io', change: 'removed', credential: 'b' }] }],
    [],
  ])
})

test('Orphan releases', () => {
  const orphan = { deletionPolicy: 'Orphan' as const }
  const copy = { ...copyOf('a'), owners: [] }
  const { secrets, accounts } = diff(world([state('a', { spec: orphan })], copy), [
    state('a', { spec: orphan, deleting: true }),
  ])
  expect(secrets).toEqual([{ name: 'regcred', action: 'release', entries: [] }])
  expect(accounts).toEqual([{ name: 'default', added: [], removed: [], released: ['regcred'] }])
})

test('one that is suspended, or asks for a name that is not allowed, changes nothing', () => {
  const before = world([], undefined, serviceAccount())
  expect(diff(before, [state('a', { spec: { suspend: true } })])).toEqual(nothing)
  expect(diff(before, [state('a', { spec: { secretName: 'other' } })])).toEqual(nothing)
})

test('a namespace that is new, and one that opts out', () => {
  const before = world([state('hub')], copyOf('hub'))
  const optedOut = namespace('team-a', { 'regcred.dev/opt-out': 'true' })
  const after = { ...before, namespaces: [optedOut, namespace('team-b')] }
  const accounts = new Map([...before.serviceAccounts, ['team-b', [serviceAccount({ namespace: 'team-b' })]]])
  const { namespaces } = diffOf(before, { ...after, serviceAccounts: accounts })
  expect(namespaces.map(({ namespace: name, secrets }) => [name, secrets.map(({ action }) => action)])).toEqual([
    ['team-a', ['delete']],
    ['team-b', ['create']],
  ])
})
