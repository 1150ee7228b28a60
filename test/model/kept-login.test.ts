/** A login survives being written and read, and what is no login is none. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeBase64 } from '../../src/model/docker-config.ts'
import { formatLogin, parseLogin } from '../../src/model/kept-login.ts'
import { entriesInUse } from '../../src/model/login.ts'
import { entriesFor, login } from './builders.ts'

const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
const check = fc.record({
  verdict: fc.constantFrom('Valid', 'Invalid', 'NoPullAccess', 'Unknown'),
  reason: fc.string(),
  message: fc.string(),
  image: fc.string(),
  at: date,
  nextAt: date,
})
const anyLogin = fc.record({
  entries: fc.constant(entriesFor('a', 'ghcr.io', 'docker.io/acme/')),
  issuedAt: date,
  expiresAt: maybe(date),
  refreshAt: maybe(date),
  source: maybe(fc.record({ secretRef: fc.record({ name: fc.string() }) })),
  handle: maybe(fc.dictionary(fc.constantFrom('id', 'lease'), fc.oneof(fc.string(), fc.integer()))),
  issuedFor: fc.string(),
  request: maybe(fc.string()),
  check: maybe(check),
})

test('what is written is read again as it was', () => {
  fc.assert(
    fc.property(anyLogin, (any) => {
      const read = parseLogin(formatLogin(any))
      expect(read).toEqual({ ...any, handle: any.handle && { ...any.handle } })
    }),
  )
})

test.each([
  ['text', 'not JSON'],
  ['nothing', 'null'],
  ['a login without entries', '{"auths":{}}'],
  ['an entry that is none', '{"auths":{"ghcr.io":"login"}}'],
])('%s counts as nothing', (_, text) => {
  expect(parseLogin(encodeBase64(text))).toBeUndefined()
  expect(parseLogin('not base64')).toBeUndefined()
})

test('what was kept by a version that knew less is asked for again', () => {
  const entry = { username: 'robot', password: 'p' }
  const read = parseLogin(
    encodeBase64(JSON.stringify({ auths: { 'ghcr.io': entry }, issuedAt: '2026-01-02T03:04:05Z' })),
  )
  expect(read).toEqual(login(new Map([['ghcr.io', entry]]), { issuedFor: '' }))
})

test.each([
  ['expiresAt', 'tomorrow'],
  ['check', { verdict: 'Valid' }],
  ['handle', [1]],
  ['source', 'vault'],
])('a %s that is none is left out', (field, value) => {
  const text = JSON.stringify({ auths: { 'ghcr.io': { username: 'u', password: 'p' } }, [field]: value })
  expect(parseLogin(encodeBase64(text))).toMatchObject({ [field]: undefined })
})

test('a login that has ended gives no entries, one that is not known gives none to go by', () => {
  const entries = entriesFor('a', 'ghcr.io')
  const ended = login(entries, { expiresAt: new Date('2026-01-02T03:04:05Z') })
  expect(entriesInUse(ended, new Date('2026-01-02T03:04:34Z'))).toBe(entries)
  expect(entriesInUse(ended, new Date('2026-01-02T03:04:35Z'))).toEqual(new Map())
  expect(entriesInUse(login(entries), new Date())).toBe(entries)
  expect(entriesInUse(undefined, new Date())).toBeUndefined()
})
