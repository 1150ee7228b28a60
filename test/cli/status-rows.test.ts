import { expect, test } from '@jest/globals'
import { failureRows, statusHeaders, statusRow } from '../../src/cli/status-rows.ts'
import { condition, credentialWith, namespaces } from './credentials.ts'

const now = new Date('2026-11-30T15:04:00Z')
const registries = ['ghcr.io']

/** Header → cell, of the wide table. */
function cells(...args: Parameters<typeof credentialWith>): Record<string, string> {
  const row = statusRow(credentialWith(...args), true, now)
  return Object.fromEntries(statusHeaders(true).map((header, index) => [header, row[index] ?? '']))
}

test('a credential that no operator has looked at is unknown', () => {
  expect(statusRow(credentialWith(), false, now)).toEqual([
    ...['hub', '<unknown>', '<none>', '<none>', '<unknown>', '<unknown>', '3h4m'],
  ])
})

test('one that works', () => {
  const status = {
    conditions: [condition('Ready', 'True', 'Succeeded'), condition('Verified', 'True', 'Accepted')],
    namespaces: namespaces(100, 98, 2),
    credential: { registries, expiresAt: '2026-12-01T03:04:00Z', nextRefreshAt: '2026-11-30T15:09:30Z' },
    pods: { stuck: 3 },
  }
  expect(cells(status)).toMatchObject({
    READY: 'True',
    VERIFIED: 'True',
    EXPIRES: 'in 12h',
    NAMESPACES: '98/100',
    FAILED: '2',
    'NEXT REFRESH': 'in 5m30s',
    'STUCK PODS': '3',
    CONTENDED: 'False',
    REASON: 'Succeeded',
  })
})

test('what has ended, and what has an end that is not known', () => {
  expect(cells({ credential: { registries, expiresAt: '2026-11-30T15:00:00Z' } }).EXPIRES).toBe('4m ago')
  expect(cells({ credential: { registries } }).EXPIRES).toBe('<unknown>')
})

test('what is wrong with a credential is told once, and a refusal of the login in use too', () => {
  const conditions = [
    condition('Ready', 'False', 'VerificationFailed'),
    condition('Stalled', 'True', 'VerificationFailed'),
  ]
  const refused = condition('Verified', 'False', 'Refused')
  expect(failureRows(credentialWith({ conditions: [...conditions, refused] }))).toEqual([
    ['hub', '<none>', 'VerificationFailed', 'VerificationFailed.'],
  ])
  expect(failureRows(credentialWith({ conditions: [condition('Ready', 'True', 'Succeeded'), refused] }))).toEqual([
    ['hub', '<none>', 'Refused', 'Refused.'],
  ])
  const failing = condition('RefreshFailing', 'True', 'IssuerUnavailable')
  expect(failureRows(credentialWith({ conditions: [failing] }))).toEqual([
    ['hub', '<none>', 'IssuerUnavailable', 'IssuerUnavailable.'],
  ])
})

test('what is under way is no failure', () => {
  for (const reason of ['Issuing', 'Progressing', 'Terminating']) {
    expect(failureRows(credentialWith({ conditions: [condition('Ready', 'False', reason)] }))).toEqual([])
  }
})

test('failed namespaces, and how many more there are than the status lists', () => {
  const failures = [{ namespace: 'shop', reason: 'NotOwned', message: 'Secret regcred is not ours.' }]
  const conditions = [condition('Ready', 'False', 'NamespacesFailed')]
  expect(failureRows(credentialWith({ conditions, failures, namespaces: namespaces(9, 6, 3) }))).toEqual([
    ['hub', 'shop', 'NotOwned', 'Secret regcred is not ours.'],
    ['hub', '2 more', '<none>', 'status.failures lists the first ten'],
  ])
})
