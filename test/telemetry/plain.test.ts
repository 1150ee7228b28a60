import { describe, expect, test } from '@jest/globals'
import { toPlain } from '../../src/telemetry/plain.ts'

const plain = (value: unknown) => toPlain(value, { stack: false })

describe('errors', () => {
  test('an error becomes its name, message, code and reason', () => {
    const error = Object.assign(new TypeError('no'), { code: 409, reason: 'Conflict' })
    expect(plain(error)).toEqual({ name: 'TypeError', message: 'no', code: 409, reason: 'Conflict' })
  })

  test('what clients hang on their errors is left out', () => {
    const error = Object.assign(new Error('no'), { body: 'x', headers: { authorization: 'y' }, code: {}, reason: [] })
    expect(plain(error)).toEqual({ name: 'Error', message: 'no' })
  })

  test('the chain of causes is kept, whatever the causes are', () => {
    const error = new Error('outer', { cause: new RangeError('middle', { cause: { status: 1 } }) })
    expect(plain({ error })).toEqual({
      error: {
        name: 'Error',
        message: 'outer',
        cause: { name: 'RangeError', message: 'middle', cause: { status: 1 } },
      },
    })
  })

  test('the errors of an AggregateError are kept', () => {
    expect(plain(new AggregateError([new Error('one')], 'all'))).toEqual({
      name: 'AggregateError',
      message: 'all',
      errors: [{ name: 'Error', message: 'one' }],
    })
  })

  test('an error that is its own cause ends', () => {
    const error = new Error('loop')
    error.cause = error
    expect(plain(error)).toEqual({ name: 'Error', message: 'loop', cause: '(circular)' })
  })

  test('a DOMException counts as an error', () => {
    expect(plain(new DOMException('late', 'TimeoutError'))).toMatchObject({ name: 'TimeoutError', message: 'late' })
  })

  test('a stack, when asked for, holds frames only and never the message', () => {
    const error = toPlain(new Error('first\n  second'), { stack: true }) as { stack: string[] }
    expect(error.stack.length).toBeGreaterThan(0)
    expect(error.stack.filter((frame) => !frame.startsWith('at '))).toEqual([])
  })
})

describe('other values', () => {
  test.each<[string, unknown, unknown]>([
    ['bytes are counted, not shown', Buffer.from('hunter2'), '(7 bytes)'],
    ['an ArrayBuffer is counted too', new ArrayBuffer(3), '(3 bytes)'],
    ['a bigint becomes text', 12n, '12'],
    ['not-a-number becomes text', Number.NaN, 'NaN'],
    ['a date is written in ISO 8601', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a URL is written as text', new URL('http://a/b'), 'http://a/b'],
    ['a map becomes an object', new Map([['a', 1]]), { a: 1 }],
    ['a set becomes a list', new Set(['a']), ['a']],
    ['functions and undefined are left out', { a: () => 1, b: undefined, c: null }, { c: null }],
    ['in a list they leave a null', [undefined, 1], [null, 1]],
  ])('%s', (_, value, expected) => {
    expect(plain(value)).toEqual(expected)
  })

  test('what cannot be read does not stop the logger', () => {
    const trap = {
      get value() {
        throw new Error('secret')
      },
    }
    expect(plain({ trap, other: 1 })).toEqual({ trap: '(unreadable)', other: 1 })
  })

  test('very deep values are cut off', () => {
    let value: unknown = 'bottom'
    for (let i = 0; i < 100; i++) value = { value }
    expect(JSON.stringify(plain(value))).toContain('"(too deep)"')
  })

  test('an object that appears twice side by side is no cycle', () => {
    const shared = { a: 1 }
    expect(plain([shared, shared])).toEqual([{ a: 1 }, { a: 1 }])
  })
})
