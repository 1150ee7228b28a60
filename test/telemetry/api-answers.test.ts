import { expect, jest, test } from '@jest/globals'
import { ApiAnswers } from '../../src/telemetry/api-answers.ts'

const noteOf = (answers: ApiAnswers) => answers.check.note?.()

test('an API server that says no does its work', () => {
  const answers = new ApiAnswers()
  for (const code of [200, 201, 403, 404, 409, 410, 422]) answers.saw('PATCH', code)
  expect(noteOf(answers)).toBeUndefined()
})

test('what fails is told until it succeeds, reads and writes apart, and is no failure of the check', () => {
  const answers = new ApiAnswers()
  answers.saw('PATCH', 500)
  answers.saw('GET', 200)
  expect(noteOf(answers)).toBe('writes have failed for 0 s (500)')
  answers.saw('GET', undefined)
  expect(noteOf(answers)).toBe('writes have failed for 0 s (500); reads have failed for 0 s (no answer)')
  expect(answers.check.check()).toBeUndefined()
  answers.saw('DELETE', 200)
  answers.saw('GET', 404)
  expect(noteOf(answers)).toBeUndefined()
})

test.each([429, 500, 503, 504, 507])('%d is a failure', (code) => {
  const answers = new ApiAnswers()
  answers.saw('POST', code)
  expect(noteOf(answers)).toContain(`(${code})`)
})

test('a failure of long ago, after which nothing was asked, is not taken for the beginning of the next one', () => {
  const now = jest.spyOn(performance, 'now')
  try {
    const answers = new ApiAnswers()
    now.mockReturnValue(0)
    answers.saw('PATCH', 500)
    now.mockReturnValue(36_000_000)
    expect(noteOf(answers)).toBeUndefined()
    answers.saw('PATCH', 503)
    now.mockReturnValue(36_007_000)
    expect(noteOf(answers)).toBe('writes have failed for 7 s (503)')
  } finally {
    now.mockRestore()
  }
})
