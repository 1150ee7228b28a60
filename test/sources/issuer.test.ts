/** Which codes of issuers people get to read. */
import { expect, test } from '@jest/globals'
import { refusal } from '../../src/sources/issuer.ts'

const messageFor = (code: unknown) => refusal({ issuer: 'issuer', status: 400, code }).message

test.each(['invalid_grant', 'AADSTS7000215', 'AccessDeniedException', 'UNAUTHENTICATED', 'sts.Denied'])(
  'the code %s is told',
  (code) => {
    expect(messageFor(code)).toBe(`issuer refuses (400 ${code}).`)
  },
)

test.each([
  'glpat-s3cr3t-0123456789',
  'hvs.CAESIJ0example',
  'AKIA2EXAMPLE',
  'ghs_16C7e42F292c6912E7710c838347Ae178B4a',
  'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
  'a word',
  'a'.repeat(65),
  42,
  { toString: () => 'invalid_grant' },
])('what may be a token, or is no word, is not: %p', (code) => {
  expect(messageFor(code)).toBe('issuer refuses (400).')
})
