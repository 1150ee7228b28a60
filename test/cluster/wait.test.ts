import { expect, test } from '@jest/globals'
import { eventually, Hopeless } from './wait.ts'

test('a value is waited for until it is truthy, and returned', async () => {
  const values = [null, 0, false, '', 'ready']
  await expect(eventually(() => values.shift() ?? null)).resolves.toBe('ready')
  expect(values).toEqual([])
})

test('assertions are repeated until they hold', async () => {
  let calls = 0
  await eventually(() => {
    calls++
    expect(calls).toBeGreaterThan(2)
  })
  expect(calls).toBe(3)
})

test('the deadline ends the wait with what was waited for and the last error', async () => {
  const failing = eventually(() => Promise.reject(new Error('still nothing')), { timeoutMs: 50, describe: 'the copy' })
  await expect(failing).rejects.toThrow('the copy: not within 0.05 s. still nothing')
})

test('the deadline ends the wait for a value with the last value', async () => {
  await expect(eventually(() => false, { timeoutMs: 50 })).rejects.toThrow('last value: false')
})

test('what is hopeless is not waited for', async () => {
  let calls = 0
  const failing = eventually(() => {
    calls++
    throw new Hopeless('broken for good')
  })
  await expect(failing).rejects.toThrow(/^broken for good$/)
  expect(calls).toBe(1)
})
