import { describe, expect, test } from '@jest/globals'
import { expiryOf } from '../../src/sources/jwt.ts'

const jwt = (payload: unknown) =>
  ['{"alg":"none"}', JSON.stringify(payload), ''].map((part) => Buffer.from(part).toString('base64url')).join('.')

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
  ])('is not told by %s', (_what, token) => {
    expect(expiryOf(token)).toBeUndefined()
  })
})
