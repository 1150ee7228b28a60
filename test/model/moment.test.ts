/** Two clocks, and what follows when one of them jumps. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { entriesInUse, isOver, msUntilEnd, msUntilRefresh } from '../../src/model/login.ts'
import { jumpBetween, latest, lookAfter, type Moment } from '../../src/model/moment.ts'
import { clockSkewMs } from '../../src/model/refresh.ts'
import { entriesFor, held } from './builders.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.parse('2026-01-02T03:04:05Z')
/** @param passed by the steady clock @param set what the wall clock was set by, in ms, or how long the machine slept */
const at = (passed: number, set = 0): Moment => ({
  wall: new Date(start + passed + set),
  steady: new Date(start + passed),
})
const time = (ms: number) => new Date(start + ms)
const got = held(entriesFor('a', 'ghcr.io'), { expiresAt: time(12 * hour), refreshAt: time(6 * hour) }, at(0))

describe('the time since a moment', () => {
  test.each([
    ['is what has passed', at(hour), hour],
    ['is what the wall clock says when that was set ahead', at(hour, day), hour + day],
    ['is what has passed when the wall clock was set back', at(hour, -day), hour],
  ])('%s', (_, now, ms) => {
    expect(latest(now, at(0))).toEqual(time(ms))
  })

  test('is counted from what the wall clock said then, right or wrong', () => {
    expect(latest(at(hour), at(0, day))).toEqual(time(hour + day))
    expect(latest(at(hour, -day), at(0, -day))).toEqual(time(hour - day))
  })
})

test.each([
  ['nothing', at(0), at(10_000), 0],
  ['a clock that is put right by a little', at(0), at(10_000, 4_000), 0],
  ['a day ahead', at(0), at(10_000, day), day],
  ['a day back', at(0), at(10_000, -day), -day],
  ['back to the truth', at(0, day), at(10_000), -day],
  ['a clock that stays wrong', at(0, day), at(10_000, day), 0],
])('%s is a jump of that size, or none', (_, before, now, ms) => {
  expect(jumpBetween(before, now)).toBe(ms)
})

describe('a login of twelve hours', () => {
  test.each([
    ['is due after six and over after twelve', 0],
    ['is so too when the clock is set back', -day],
  ])('%s', (_, set) => {
    expect(msUntilRefresh(got, at(6 * hour - 1, set))).toBe(1)
    expect(msUntilRefresh(got, at(6 * hour, set))).toBe(0)
    expect(msUntilEnd(got, at(12 * hour, set))).toBe(clockSkewMs)
    expect(isOver(got, at(12 * hour + clockSkewMs - 1, set))).toBe(false)
    expect(isOver(got, at(12 * hour + clockSkewMs, set))).toBe(true)
  })

  test('is over at once when the clock is set a day ahead, and good again when it is put right', () => {
    expect(entriesInUse(got, at(hour, day))).toEqual(new Map())
    expect(entriesInUse(got, at(hour))).toBe(got.entries)
  })

  test('that was got while the clock was wrong lives as long when it is put right', () => {
    const wrong = held(got.entries, { expiresAt: time(day + 12 * hour) }, at(0, day))
    expect(msUntilEnd(wrong, at(hour))).toBe(11 * hour + clockSkewMs)
  })

  test('is due and over no later than by what has passed, and than by the wall clock, whatever that is set to', () => {
    const passed = fc.integer({ min: 0, max: 2 * day })
    fc.assert(
      fc.property(passed, fc.integer({ min: -400 * day, max: 400 * day }), (ms, set) => {
        const now = at(ms, set)
        const since = Math.max(ms, ms + set)
        expect(msUntilEnd(got, now)).toBe(12 * hour + clockSkewMs - since)
        expect(msUntilRefresh(got, now)).toBe(6 * hour - since)
      }),
    )
  })

  test('that does not say when it ends is never over', () => {
    const endless = held(got.entries, {}, at(0))
    expect(msUntilEnd(endless, at(0, 400 * day))).toBe(Number.POSITIVE_INFINITY)
    expect(isOver(endless, at(0, 400 * day))).toBe(false)
    expect(msUntilRefresh(endless, at(0, 400 * day))).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('after a jump a login is looked at', () => {
  test.each([
    ['at once when it has ended', -1, 0.9, 0],
    ['within five minutes', day, 0.5, 150_000],
    ['within five minutes when it never ends', Number.POSITIVE_INFINITY, 1, 300_000],
    ['in the first half of what is left of it', 60_000, 1, 30_000],
  ])('%s', (_, endMs, random, ms) => {
    expect(lookAfter(endMs, random)).toBe(ms)
  })
})
