import { expect, test } from '@jest/globals'
import type { Condition, RegistryCredential } from '../../src/api/registry-credential.ts'
import { progressOf } from '../../src/cli/refresh-progress.ts'
import { condition, credentialWith, namespaces } from './credentials.ts'

const request = '2026-11-30T12:00:00.000Z'
const ready = condition('Ready', 'True', 'Succeeded')

interface Case {
  answered?: string
  issuedAt?: string
  conditions?: Condition[]
  counts?: ReturnType<typeof namespaces>
}

function credential({
  answered,
  issuedAt = '2026-11-30T11:00:00Z',
  conditions = [ready],
  counts = namespaces(2, 2),
}: Case) {
  const login = { registries: [], issuedAt, ...(answered !== undefined && { refreshRequest: answered }) }
  return credentialWith({ conditions, namespaces: counts, credential: login })
}

const before = credential({})

function progress(now: RegistryCredential, since = before): string {
  const { state, text } = progressOf(since, now, request)
  return `${state}: ${text}`
}

test('the operator has not answered yet, also where it has answered another request', () => {
  expect(progress(before)).toBe('waiting: the operator is asking the source')
  expect(progress(credential({ answered: 'another' }))).toBe('waiting: the operator is asking the source')
})

test('a new login is waited for until it is in all namespaces', () => {
  const answered = { answered: request, issuedAt: '2026-11-30T12:00:01Z' }
  const reconciling = [ready, condition('Reconciling', 'True', 'Progressing')]
  expect(progress(credential({ ...answered, counts: namespaces(2, 1), conditions: reconciling }))).toBe(
    'waiting: the new login is in 1 of 2 namespaces',
  )
  expect(progress(credential({ ...answered, conditions: reconciling }))).toMatch(/^waiting/)
  expect(progress(credential(answered))).toBe('done: the new login is in 2 of 2 namespaces')
})

test('a source that gives what it gave before has answered too', () => {
  expect(progress(credential({ answered: request }))).toBe(
    'done: the login, the same as before, is in 2 of 2 namespaces',
  )
})

test('of a login of the same second as the request it is not told whether it is new', () => {
  const issuedAt = '2026-11-30T12:00:00Z'
  const since = credential({ issuedAt })
  expect(progress(credential({ answered: request, issuedAt }), since)).toMatch(/^done: the login is in/)
})

test('a namespace that fails ends it', () => {
  const failed = credential({ answered: request, issuedAt: '2026-11-30T12:00:01Z', counts: namespaces(3, 2, 1) })
  const failures = [{ namespace: 'shop', reason: 'NotOwned', message: 'It is foreign.' }]
  expect(progress({ ...failed, status: { ...failed.status, failures } })).toBe(
    'failed: the new login is in 2 of 3 namespaces, 1 failed; first shop: NotOwned: It is foreign.',
  )
})

test.each([
  ['RefreshFailing', [ready, condition('RefreshFailing', 'True', 'IssuerRefused')]],
  ['Stalled', [condition('Ready', 'False', 'SourceInvalid'), condition('Stalled', 'True', 'SourceInvalid')]],
  ['not Ready', [condition('Ready', 'False', 'SourceNotFound')]],
])('what fails since it was asked for ends it: %s', (_, conditions) => {
  expect(progress(credential({ conditions }))).toMatch(/^failed: (IssuerRefused|SourceInvalid|SourceNotFound): /)
})

test('what failed before may be past, and is told while it is waited on', () => {
  const failing = credential({ conditions: [ready, condition('RefreshFailing', 'True', 'IssuerUnavailable')] })
  expect(progress(failing, failing)).toBe('waiting: no answer yet, and as before IssuerUnavailable: IssuerUnavailable.')
  const other = credential({ conditions: [ready, condition('RefreshFailing', 'True', 'IssuerRefused')] })
  expect(progress(other, failing)).toMatch(/^failed: IssuerRefused/)
})

test('a rollout that is under way is no failure, nor are namespaces that failed before', () => {
  for (const reason of ['Issuing', 'Progressing', 'NamespacesFailed']) {
    expect(progress(credential({ conditions: [condition('Ready', 'False', reason)] }))).toMatch(/^waiting/)
  }
})

test('one that is being deleted gets no login any more', () => {
  const metadata = { ...before.metadata, deletionTimestamp: '2026-11-30T12:00:00Z' }
  expect(progress({ ...before, metadata })).toBe('failed: it is being deleted')
})
