import { expect, test } from '@jest/globals'
import { persistently } from '../../src/kube/persistently.ts'

test('it is done again until it succeeds, and each failure is told', async () => {
  const failures: unknown[] = []
  const results = [new Error('first'), new Error('second'), 'done']
  const work = async () => {
    const result = results.shift()
    if (result instanceof Error) throw result
    return result
  }
  expect(await persistently(work, new AbortController().signal, (error) => failures.push(error))).toBe('done')
  expect(failures).toEqual([new Error('first'), new Error('second')])
})

test('the signal ends it, also while it waits for the next attempt', async () => {
  const stop = new AbortController()
  const work = async () => {
    throw new Error('no')
  }
  expect(await persistently(work, stop.signal, () => stop.abort())).toBeUndefined()
  let attempts = 0
  expect(
    await persistently(
      async () => ++attempts,
      stop.signal,
      () => {},
    ),
  ).toBeUndefined()
  expect(attempts).toBe(0)
})
