/** When a login is had anew, and when it has ended. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { clockSkewMs, endOf, type Lifetime, refreshTime } from '../../src/model/refresh.ts'

const issuedAt = new Date('2026-01-02T00:00:00Z')
const later = (seconds: number) => new Date(issuedAt.getTime() + seconds * 1000)
const lifetime = (of: Partial<Lifetime>): Lifetime => ({
  issuedAt,
  expiresAt: undefined,
  refreshAfter: undefined,
  interval: undefined,
  ...of,
})

describe('a login is had anew', () => {
  test.each([
    ['of twelve hours after six, or up to a tenth of its life earlier', 43_200, 0, 21_600],
    ['with much jitter', 43_200, 1, 17_280],
    ['of a quarter of a minute not before ten seconds', 15, 0.5, 10],
    ['of no time at all not before ten seconds', 0, 0, 10],
  ])('%s', (_, life, random, seconds) => {
    expect(refreshTime(lifetime({ expiresAt: later(life), interval: 1 }), random)).toEqual(later(seconds))
  })

  test('that does not say when it ends, after the interval', () => {
    expect(refreshTime(lifetime({ interval: 3_600_000 }), 0)).toEqual(later(3_600))
    expect(refreshTime(lifetime({ interval: 3_600_000 }), 1)).toEqual(later(3_240))
  })

  test('when the issuer says so, whatever else is known', () => {
    const told = { refreshAfter: later(60), expiresAt: later(43_200), interval: 1 }
    expect(refreshTime(lifetime(told), 0)).toEqual(later(60))
    expect(refreshTime(lifetime({ ...told, refreshAfter: later(-5) }), 0)).toEqual(later(10))
  })

  test('never, where nothing says when', () => {
    expect(refreshTime(lifetime({}), 0)).toBeUndefined()
  })

  test('before it ends, and spread over time, whatever its life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 100_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (life, random) => {
          const at = refreshTime(lifetime({ expiresAt: later(life) }), random)?.getTime() ?? 0
          expect(at).toBeGreaterThanOrEqual(issuedAt.getTime() + 10_000)
          expect(at).toBeLessThanOrEqual(issuedAt.getTime() + life * 500)
        },
      ),
    )
  })
})

test('a login has ended only when no clock within the tolerance says otherwise', () => {
  expect(endOf(later(60)) - later(60).getTime()).toBe(clockSkewMs)
})
