/** What a registry said, and when it is asked again. */
import { expect, test } from '@jest/globals'
import { checked, isCheckDue, isRefusal, type Verdict } from '../../src/model/verification.ts'

const hours = (number: number) => new Date(Date.parse('2026-01-02T00:00:00Z') + number * 3_600_000)
/** By the steady clock; the wall clock is a day ahead of it. */
const after = (number: number) => ({ wall: hours(number + 24), steady: hours(number) })
const at = after(0)
const said = (verdict: Verdict) => ({ verdict, reason: 'Said', message: 'It said so.' })

test('a login that is good is checked again after five to six hours, any other within ten minutes', () => {
  expect(checked(said('Valid'), undefined, at, 0).nextAt).toEqual(hours(6))
  expect(checked(said('Valid'), undefined, at, 1).nextAt).toEqual(hours(4.8))
  for (const verdict of ['Invalid', 'NoPullAccess', 'Unknown'] as const) {
    expect(checked(said(verdict), undefined, at, 0).nextAt).toEqual(hours(1 / 6))
  }
})

test('a check tells when it was made, by the wall clock', () => {
  expect(checked(said('Valid'), undefined, at, 0).at).toEqual(hours(24))
})

test('a check is due when there is none, when its time has come whatever the wall clock says, and when another image is asked about', () => {
  const check = checked(said('Valid'), 'ghcr.io/acme/app:1', at, 0)
  expect(isCheckDue(undefined, undefined, at)).toBe(true)
  expect(isCheckDue(check, 'ghcr.io/acme/app:1', after(5.9))).toBe(false)
  expect(isCheckDue(check, 'ghcr.io/acme/app:1', after(6))).toBe(true)
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
