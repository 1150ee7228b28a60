/** What is particular to GitHub: how the App proves itself. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { jwtVerify } from 'jose'
import { github } from '../../src/sources/github.ts'
import type { Issued } from '../../src/sources/source.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pkcs8 = pemOf(rsa.privateKey, 'pkcs8')
const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'example' } as const

const keys = {
  pkcs1: pemOf(rsa.privateKey, 'pkcs1'),
  pkcs8,
  'line-breaks': pkcs8.replaceAll('\n', '\r\n'),
}
const wrong = {
  text: 'not-a-key-but-secret',
  half: pkcs8.slice(0, 400),
  public: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  elliptic: pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'pkcs8'),
  encrypted: rsa.privateKey.export(encrypted).toString(),
}

let lab: SourceLab
let issuer: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  for (const [name, privateKey] of Object.entries({ ...keys, ...wrong })) await lab.secret(name, { privateKey })
})

beforeEach(async () => {
  const body = { token: 'ghs_0123456789', expires_at: '2100-01-01T00:00:00Z' }
  issuer = await lab.issuer(() => ({ status: 201, body }))
})

function pemOf(key: KeyObject, type: 'pkcs1' | 'pkcs8'): string {
  return key.export({ type, format: 'pem' }).toString()
}

async function issue(secret: string): Promise<Issued> {
  const app = { appId: '123', installationId: '42', secretRef: { name: secret } }
  return await github.issue({ ...app, url: `${issuer.url}/api/v3`, registry: 'ghcr.io' }, lab.context(), never)
}

test.each(Object.keys(keys))('the App proves itself by a token that is signed with its key (%s)', async (secret) => {
  await issue(secret)
  const [{ method, path, headers } = {}] = issuer.requests
  expect([method, path]).toEqual(['POST', '/api/v3/app/installations/42/access_tokens'])
  const proof = headers?.authorization?.replace('Bearer ', '') ?? ''
  const { payload, protectedHeader } = await jwtVerify(proof, rsa.publicKey, { issuer: '123' })
  expect(protectedHeader.alg).toBe('RS256')
  const now = Date.now() / 1000
  const { iat = 0, exp = 0 } = payload
  expect(iat).toBeLessThan(now) // the clock of GitHub may be behind ours
  expect(exp).toBeGreaterThan(now)
  expect(exp - iat).toBeLessThanOrEqual(600) // more is refused
})

test('the token is asked for to read packages, and for nothing else', async () => {
  await issue('pkcs8')
  expect(JSON.parse(issuer.requests[0]?.body ?? '')).toEqual({ permissions: { packages: 'read' } })
  expect(issuer.requests[0]?.headers['user-agent']).toBe('regcred-operator')
})

test('two installations of the same number, at two servers, have nothing to do with one another', async () => {
  const other = await lab.issuer(() => ({
    status: 201,
    body: { token: 'ghs_other', expires_at: '2100-01-01T00:00:00Z' },
  }))
  const first = issue('pkcs8')
  issuer = other
  const passwords = (await Promise.all([first, issue('pkcs8')])).map(({ given }) => inspect(given))
  expect(passwords).toEqual([expect.stringContaining('ghs_0123456789'), expect.stringContaining('ghs_other')])
})

describe('what is no private key of an App is told by the Secret and its key, not quoted, and nobody is asked', () => {
  test.each(Object.entries(wrong))('%s', async (secret, text) => {
    const problem = await issue(secret).catch((error: unknown) => error)
    expect(problem).toMatchObject({
      reason: 'SourceInvalid',
      message: `Secret ${secret} has no RSA private key (PEM) under privateKey; put the file there that GitHub gave for the App.`,
    })
    const lines = text.split('\n').filter((line) => line.length > 8)
    expect(lines.filter((line) => inspect(problem, { depth: 10 }).includes(line))).toEqual([])
    expect(issuer.requests).toEqual([])
  })
})
