import { describe, expect, test } from '@jest/globals'
import { seed } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { targets as faultyTargets } from './faulty.ts'
import { fuzz } from './fuzz.ts'
import { targets } from './targets.ts'

/** Of each target: a million together, or a few seconds. */
const cases = scaled({ quick: 20_000, long: 250_000 })
const module = (name: string) => new URL(name, import.meta.url).href

describe('whatever others send', () => {
  test.each(Object.keys(targets))(
    '%s is read or refused in its own words: nothing hangs, leaks or spreads',
    async (target) => {
      console.log(`${cases} cases of ${target}, SEED=${seed}`)
      const { read, refused } = await fuzz({ module: module('targets.ts'), target, seed, cases })
      expect(read + refused).toBe(cases)
      // Cases that are all refused at the door would show nothing.
      expect(read).toBeGreaterThan(cases / 10)
    },
    scaled({ quick: 300_000, long: 3_600_000 }),
  )
})

describe('the fuzzing itself finds a target that', () => {
  const run = (target: string, patienceMs = 60_000) =>
    fuzz({ module: module('faulty.ts'), target, seed: 1, cases: 1_000, patienceMs })
  const failureOf = (...of: Parameters<typeof run>) => run(...of).catch((error: Error) => error.message)

  test('is sound: it finds nothing', async () => {
    const { read, refused } = await run('is sound')
    expect(read + refused).toBe(1_000)
    expect(refused).toBeGreaterThan(0)
  })

  test.each([
    ['throws an undeclared error', 'it threw TypeError, which it does not declare'],
    ['throws what is no error', 'it threw string, which it does not declare'],
    ['says that something is wrong', 'something'],
    ['quotes a part in its message', 'what it threw gives the secret away in clear'],
    ['quotes base64 in its message', 'what it threw gives the secret away in base64'],
    ['quotes base64url in its message', 'what it threw gives the secret away in base64url'],
    ['quotes a URL in its message', 'what it threw gives the secret away URL-encoded'],
    ['has a cause that quotes', 'what it threw gives the secret away in clear'],
    ['pollutes Object.prototype', 'Object.prototype is changed'],
  ])('%s', async (target, what) => {
    const failure = await failureOf(target)
    expect(failure).toMatch(new RegExp(`^Case \\d+: ${what}\\. SEED=`))
    // The same seed gives the same cases.
    expect(await failureOf(target)).toBe(failure)
  })

  test('never ends', async () => {
    expect(await failureOf('never ends', 2_000)).toMatch(/^Case \d+: it was not done within 2 s\. SEED=/)
  })

  test('is missing here for none of the faults', () => {
    expect(Object.keys(faultyTargets)).toHaveLength(11)
  })
})
