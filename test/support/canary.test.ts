/** The search for canaries finds each form of a secret in the midst of anything, and nothing else. */
import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { leaksIn, newCanary } from './canary.ts'

const secret = newCanary()
const base64 = (text: string) => Buffer.from(text).toString('base64')
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const found = (text: string) => leaksIn({ place: text }, { secret })

/** As Go writes it: HTML characters are escaped. */
const goJson = (value: unknown) =>
  JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)

describe('a secret is found', () => {
  test.each([
    ['as it is', `password ${secret}!`],
    ['in JSON', JSON.stringify({ password: secret })],
    ['in JSON in a line of a log', JSON.stringify({ message: JSON.stringify({ password: secret }) })],
    ['in JSON of Go', goJson({ password: secret })],
    ['in JSON of Go in a line of a log', JSON.stringify({ message: goJson({ password: secret }) })],
    ['in the query of a URL', `https://host/?token=${encodeURIComponent(secret)}&scope=x`],
    ['in a URL in lower case', encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase())],
    ['in a form', new URLSearchParams({ client_secret: secret, grant: 'x' }).toString()],
    ['as a Buffer that is inspected', inspect(Buffer.from(`a${secret}b`), { compact: true })],
    ['as a Buffer in JSON', JSON.stringify(Buffer.from(`a${secret}b`))],
    ['in hexadecimal', Buffer.from(`a${secret}b`).toString('hex')],
    ['as a login of Basic', `Basic ${base64(`robot:${secret}`)}`],
    ['in the JSON of a JWT', `e30.${base64url(JSON.stringify({ exp: 1, jti: secret }))}.x`],
    ['in the data of a Secret', base64(JSON.stringify({ auths: { 'ghcr.io': { password: secret } } }))],
  ])('%s', (_, text) => {
    expect(found(text)).not.toEqual([])
  })

  test.each(
    [0, 1, 2].flatMap((before) => [0, 1, 2].map((after) => ({ before: 'a'.repeat(before), after: 'z'.repeat(after) }))),
  )('in base64 and base64url between "$before" and "$after"', ({ before, after }) => {
    const text = `${before}${secret}${after}`
    for (const written of [base64(text), base64url(text)]) {
      expect(found(written)).not.toEqual([])
      expect(found(`xx.${written}.xx`)).not.toEqual([])
    }
  })

  test('by one line of a private key', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const [, , line = ''] = pem.split('\n')
    expect(leaksIn({ log: `near ${line}` }, { key: pem })).not.toEqual([])
    expect(leaksIn({ log: JSON.stringify({ line }) }, { key: JSON.stringify({ private_key: pem }) })).not.toEqual([])
  })

  test('by the signature of a token', () => {
    const signature = 's1'.repeat(30)
    expect(leaksIn({ log: signature }, { token: `eyJhbGciOiJ.eyJpc3MiOiJ.${signature}` })).not.toEqual([])
  })
})

test('what is found is told by its name, its place and its form, and never quoted', () => {
  const places = { log: `password ${secret}`, metrics: '' }
  expect(leaksIn(places, { password: secret, other: newCanary() })).toEqual(['password in log, clear'])
})

test('another canary is not found, nor one that is cut short, nor its neighbours', () => {
  const texts = [newCanary(), secret.slice(0, -1), base64(secret.slice(0, -3)), base64(newCanary())]
  expect(texts.flatMap(found)).toEqual([])
})
