import { describe, expect, test } from '@jest/globals'
import { hasPattern, maskPatterns } from '../../src/telemetry/credential-patterns.ts'

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl-_'

describe('credentials are masked by their surroundings', () => {
  test.each([
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: ***'],
    ['authorization: Bearer abc, next', 'authorization: ***, next'],
    ['Proxy-Authorization: opaque-value', 'Proxy-Authorization: ***'],
    ['{"authorization":"Basic dXNlcjpwYXNz","x":1}', '{"authorization":"***","x":1}'],
    ['{\\"Authorization\\":\\"Basic dXNlcjpwYXNz\\"}', '{\\"Authorization\\":\\"***\\"}'],
    ['{"Authorization":["Basic dXNlcjpwYXNz"]}', '{"Authorization":["***"]}'],
    ["{ authorization: 'Custom a b c' }", "{ authorization: '***' }"],
    ['sent Bearer 0123456789abcdef to it', 'sent Bearer *** to it'],
    ['sent bearer abcdefghijklmnopqrstuvwxyz', 'sent bearer ***'],
    ['sent Basic dXNlcjpwYXNzd28= to it', 'sent Basic *** to it'],
    [`token ${jwt} refused`, 'token *** refused'],
    [`x\\n${jwt}`, 'x\\n***'],
    ['GET https://user:pa55@registry.example.com/v2/', 'GET https://***@registry.example.com/v2/'],
    ['GET https://token@host', 'GET https://***@host'],
    ['GET https://user:p@ss@host/x@y', 'GET https://***@host/x@y'],
  ])('%s', (text, masked) => {
    expect(hasPattern(text)).toBe(true)
    expect(maskPatterns(text)).toBe(masked)
  })
})

describe('what only looks similar stays readable', () => {
  test.each([
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    'no Bearer challenge, Basic authentication only',
    'https://ghcr.io/acme/app@sha256:0123456789abcdef',
    'https://index.docker.io/v1/ and mail@example.com',
    'eyJ is how a token begins',
  ])('%s', (text) => {
    expect(hasPattern(text)).toBe(false)
    expect(maskPatterns(text)).toBe(text)
  })
})
