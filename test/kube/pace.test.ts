import { describe, expect, test } from '@jest/globals'
import { Pace } from '../../src/kube/pace.ts'

/** With a clock that the test moves. */
function paceOf(most: number) {
  const clock = { ms: 0 }
  return { clock, pace: new Pace(most, () => clock.ms) }
}

function saw(pace: Pace, code: number | undefined, times: number): void {
  for (let time = 0; time < times; time++) pace.saw(code)
}

describe('the pace', () => {
  test('begins at the most that is allowed, and never goes above it', () => {
    const { pace } = paceOf(32)
    expect(pace.limit).toBe(32)
    saw(pace, 200, 1_000)
    expect(pace.limit).toBe(32)
  })

  test('is halved by a 429, once for all that come together', () => {
    const { pace, clock } = paceOf(32)
    saw(pace, 429, 20)
    expect(pace.limit).toBe(16)
    clock.ms = 1_000
    saw(pace, 429, 20)
    expect(pace.limit).toBe(8)
  })

  test('never stands still', () => {
    const { pace, clock } = paceOf(3)
    for (let round = 0; round < 10; round++) {
      pace.saw(429)
      clock.ms += 1_000
    }
    expect(pace.limit).toBe(1)
  })

  test('comes back by one with each round of successes', () => {
    const { pace } = paceOf(32)
    pace.saw(429)
    saw(pace, 201, 17)
    expect(pace.limit).toBe(17)
    saw(pace, 409, 18) // the API server has worked on it
    expect(pace.limit).toBe(18)
    saw(pace, 200, 1_000)
    expect(pace.limit).toBe(32)
  })

  test.each([undefined, 500, 503])('is not changed by what says nothing of a load: %s', (code) => {
    const { pace } = paceOf(32)
    pace.saw(429)
    saw(pace, code, 1_000)
    expect(pace.limit).toBe(16)
  })
})
