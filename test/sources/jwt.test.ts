import { describe, expect, test } from '@jest/globals'
import { expiryOf } from '../../src/sources/jwt.ts'

const jwt = (payload: unknown) =>
  ['{"alg":"none"}', JSON.stringify(payload), ''].map((part) => Buffer.from(part).toString('base64url')).join('.')

/** @param payload as text */
const raw = (payload: string) => `e30.${Buffer.from(payload).toString('base64url')}.`

describe('the expiry of a JWT', () => {
  test('is its claim exp, in seconds since the epoch', () => {
    expect(expiryOf(jwt({ sub: 'ü?>', exp: 1_800_000_000.5 }))).toEqual(new Date(1_800_000_000_500))
  })

  test.each([
    ['an opaque token', 'opaque'],
    ['an empty one', ''],
    ['parts that are no JSON', 'a.b.c'],
    ['a payload that is null', jwt(null)],
    ['a token without exp', jwt({ sub: 'a' })],
    ['an exp that is text', jwt({ exp: '1800000000' })],
    ['an exp beyond all dates', jwt({ exp: 1e300 })],
    ['an exp beyond all numbers', raw('{"exp":1e400}')],
    ['an exp of 400 digits', raw(`{"exp":${'9'.repeat(400)}}`)],
    ['an exp in a list', raw('{"exp":[1800000000]}')],
    ['an exp that stands there twice, then as text', raw('{"exp":1800000000,"exp":"x"}')],
    ['an exp below __proto__', raw('{"__proto__":{"exp":1800000000}}')],
    ['lists in lists', raw('['.repeat(100_000) + ']'.repeat(100_000))],
    ['lists without an end', raw('['.repeat(100_000))],
    ['NUL behind the payload', raw('{"exp":1800000000}\0')],
    ['a byte order mark before it', raw('\ufeff{"exp":1800000000}')],
  ])('is not told by %s', (_what, token) => {
    expect(expiryOf(token)).toBeUndefined()
  })

  test('is told beside bytes that are no UTF-8', () => {
    const payload = Buffer.concat([Buffer.from('{"exp":1800000000,"sub":"'), Buffer.of(0xff), Buffer.from('"}')])
    expect(expiryOf(`e30.${payload.toString('base64url')}.`)).toEqual(new Date(1_800_000_000_000))
  })
})
