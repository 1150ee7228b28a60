/** A login survives being written and read, and what is no login is none. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeBase64 } from '../../src/model/docker-config.ts'
import { formatLogin, hold, parseLogin } from '../../src/model/kept-login.ts'
import { entriesInUse, type Login, msUntilEnd, msUntilRefresh } from '../../src/model/login.ts'
import { clockSkewMs } from '../../src/model/refresh.ts'
import { isCheckDue } from '../../src/model/verification.ts'
import { entriesFor, held, login } from './builders.ts'

const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
const check = fc.record({
  verdict: fc.constantFrom('Valid', 'Invalid', 'NoPullAccess', 'Unknown'),
  reason: fc.string(),
  message: fc.string(),
  image: fc.string(),
  at: date,
  nextAt: date,
})
const anyLogin = fc.record({
  entries: fc.constant(entriesFor('a', 'ghcr.io', 'docker.io/acme/')),
  issuedAt: date,
  expiresAt: maybe(date),
  refreshAt: maybe(date),
  source: maybe(fc.record({ secretRef: fc.record({ name: fc.string() }) })),
  handle: maybe(fc.dictionary(fc.constantFrom('id', 'lease'), fc.oneof(fc.string(), fc.integer()))),
  issuedFor: fc.string(),
  request: maybe(fc.string()),
  check: maybe(check),
})

/** The steady clock of a process that began with another wall clock. */
const at = (text: string) => ({ wall: new Date(text), steady: new Date(Date.parse(text) - 7_000_000) })
const later = (time: Date, ms: number) => new Date(time.getTime() + ms)

test('what is written is read again as it was', () => {
  fc.assert(
    fc.property(anyLogin, (any) => {
      const read = parseLogin(formatLogin(any))
      expect(read).toEqual({ ...any, handle: any.handle && { ...any.handle } })
    }),
  )
})

test.each([
  ['text', 'not JSON'],
  ['nothing', 'null'],
  ['a login without entries', '{"auths":{}}'],
  ['an entry that is none', '{"auths":{"ghcr.io":"login"}}'],
])('%s counts as nothing', (_, text) => {
  expect(parseLogin(encodeBase64(text))).toBeUndefined()
  expect(parseLogin('not base64')).toBeUndefined()
})

test('what was kept by a version that knew less is asked for again', () => {
  const entry = { username: 'robot', password: 'p' }
  const read = parseLogin(
    encodeBase64(JSON.stringify({ auths: { 'ghcr.io': entry }, issuedAt: '2026-01-02T03:04:05Z' })),
  )
  expect(read).toEqual(login(new Map([['ghcr.io', entry]]), { issuedFor: '' }))
})

test.each([
  ['expiresAt', 'tomorrow'],
  ['check', { verdict: 'Valid' }],
  ['check', { verdict: 'Good', reason: '', message: '', image: '', at: '2026-01-02', nextAt: '2026-01-02' }],
  ['handle', [1]],
  ['source', 'vault'],
])('a %s that is none is left out', (field, value) => {
  const text = JSON.stringify({ auths: { 'ghcr.io': { username: 'u', password: 'p' } }, [field]: value })
  expect(parseLogin(encodeBase64(text))).toMatchObject({ [field]: undefined })
})

test('a login that has ended gives no entries, one that is not known gives none to go by', () => {
  const entries = entriesFor('a', 'ghcr.io')
  const ended = held(entries, { expiresAt: new Date('2026-01-02T03:04:05Z') }, at('2026-01-02T00:00:00Z'))
  expect(entriesInUse(ended, at('2026-01-02T03:04:34Z'))).toBe(entries)
  expect(entriesInUse(ended, at('2026-01-02T03:04:35Z'))).toEqual(new Map())
  expect(entriesInUse(held(entries, {}, at('2026-01-02T00:00:00Z')), at('2036-01-02T00:00:00Z'))).toBe(entries)
  expect(entriesInUse(undefined, at('2026-01-02T00:00:00Z'))).toBeUndefined()
})

test('when it was got is of this process, and not kept', () => {
  const kept = login(entriesFor('a', 'ghcr.io'))
  expect(formatLogin({ ...kept, gotAt: at('2026-01-02T00:00:00Z') })).toBe(formatLogin(kept))
})

describe('what was kept', () => {
  const now = at('2026-01-02T12:00:00Z')
  const hour = 3_600_000
  const hours = (number: number) => new Date(now.wall.getTime() + number * hour)
  const entries = entriesFor('a', 'ghcr.io')
  const polled = 12 * hour
  test.each<[string, Partial<Login>, number | undefined, Date | undefined]>([
    ['is renewed when it was to be', { refreshAt: hours(3), expiresAt: hours(9) }, polled, hours(3)],
    ['and was due before is due', { refreshAt: hours(-3), expiresAt: hours(9) }, polled, hours(-3)],
    [
      'is renewed in the middle of its life at the latest',
      { refreshAt: hours(8), expiresAt: hours(9) },
      polled,
      hours(4.5),
    ],
    ['and ends but has lost when to renew it is too', { expiresAt: hours(9) }, polled, hours(4.5)],
    ['and does not end is renewed after the interval at the latest', { refreshAt: hours(99) }, polled, hours(12)],
    ['and has lost everything is too', {}, polled, hours(12)],
    ['from a source that is watched is not renewed', {}, undefined, undefined],
    [
      'comes from a clock within the tolerance',
      { issuedAt: later(now.wall, clockSkewMs), refreshAt: hours(3) },
      polled,
      hours(3),
    ],
    [
      'comes from the future: at once',
      { issuedAt: later(now.wall, clockSkewMs + 1), refreshAt: hours(3) },
      polled,
      now.wall,
    ],
    ['from the future, of a source that is watched', { issuedAt: hours(24) }, undefined, undefined],
  ])('%s', (_, facts, interval, refreshAt) => {
    const kept = login(entries, { issuedAt: hours(-1), ...facts })
    expect(hold(kept, interval, now)).toEqual({ ...kept, refreshAt, gotAt: now })
  })

  test('is renewed before its end, and no later than it would be if it were got now, whatever is kept', () => {
    fc.assert(
      fc.property(date, maybe(date), maybe(date), (issuedAt, expiresAt, refreshAt) => {
        const any = hold(login(entries, { issuedAt, expiresAt, refreshAt }), polled, now)
        const left = expiresAt ? Math.max(0, msUntilEnd(any, now)) : polled
        expect(msUntilRefresh(any, now)).toBeLessThanOrEqual(left)
      }),
    )
  })

  test('was checked by a clock that may be another', () => {
    const said = { verdict: 'Valid', reason: 'Said', message: 'It said so.', image: '', at: now.wall } as const
    const due = (nextAt: Date, after: number) => {
      const { check } = hold(login(entries, { check: { ...said, nextAt } }), polled, now)
      return isCheckDue(check, undefined, { ...now, steady: later(now.steady, after) })
    }
    expect(due(hours(2), 2 * hour - 1)).toBe(false)
    expect(due(hours(2), 2 * hour)).toBe(true)
    expect(due(hours(-2), 0)).toBe(true)
    expect(due(hours(24), 6 * hour - 1)).toBe(false)
    expect(due(hours(24), 6 * hour)).toBe(true)
  })
})
