/** What a registry said, and when it is asked again. */
import { expect, test } from '@jest/globals'
import { checked, isCheckDue, isRefusal, type Verdict } from '../../src/model/verification.ts'

const at = new Date('2026-01-02T00:00:00Z')
const hours = (number: number) => new Date(at.getTime() + number * 3_600_000)
const said = (verdict: Verdict) => ({ verdict, reason: 'Said', message: 'It said so.' })

test('a login that is good is checked again after five to six hours, any other within ten minutes', () => {
  expect(checked(said('Valid'), undefined, at, 0).nextAt).toEqual(hours(6))
  expect(checked(said('Valid'), undefined, at, 1).nextAt).toEqual(hours(4.8))
  for (const verdict of ['Invalid', 'NoPullAccess', 'Unknown'] as const) {
    expect(checked(said(verdict), undefined, at, 0).nextAt).toEqual(hours(1 / 6))
  }
})

test('a check is due when there is none, when its time has come, and when another image is asked about', () => {
  const check = checked(said('Valid'), 'ghcr.io/acme/app:1', at, 0)
  expect(isCheckDue(undefined, undefined, at)).toBe(true)
  expect(isCheckDue(check, 'ghcr.io/acme/app:1', hours(5.9))).toBe(false)
  expect(isCheckDue(check, 'ghcr.io/acme/app:1', hours(6))).toBe(true)
  expect(isCheckDue(check, 'ghcr.io/acme/app:2', at)).toBe(true)
  expect(isCheckDue(check, undefined, at)).toBe(true)
})

test.each<[Verdict, boolean]>([
  ['Valid', false],
  ['Invalid', true],
  ['NoPullAccess', true],
  ['Unknown', false],
])('%s counts as a refusal: %p', (verdict, refused) => {
  expect(isRefusal(said(verdict))).toBe(refused)
})
