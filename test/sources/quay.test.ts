/** What is particular to Quay: what it is shown, and how it tells the end of what it gives. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { quay } from '../../src/sources/quay.ts'
import type { Issued } from '../../src/sources/source.ts'
import { sharedCluster } from '../cluster/shared.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const exp = 4_102_444_800 // 2100-01-01

let lab: SourceLab
let issuer: IssuerServer
let clusterKeys: ReturnType<typeof createLocalJWKSet>

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.serviceAccount('quay-puller')
  const keys = await sharedCluster().kubectl('get', '--raw', '/openid/v1/jwks')
  clusterKeys = createLocalJWKSet(JSON.parse(keys) as JSONWebKeySet)
})

beforeEach(async () => {
  issuer = await lab.issuer(() => ({ body: { token: tokenWith({ exp }) } }))
})

function tokenWith(claims: unknown): string {
  return `header.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`
}

async function issue(changes: { audience?: string; serviceAccountName?: string } = {}): Promise<Issued> {
  const spec = { url: issuer.url, robot: 'acme+puller', serviceAccountName: 'quay-puller', ...changes }
  return await quay.issue(spec, lab.context(), never)
}

test.each([
  ['its own URL', {}, undefined],
  ['the one that is given', { audience: 'quay.test' }, 'quay.test'],
])('Quay is shown a token of the ServiceAccount for the audience %s', async (_, changes, audience) => {
  await issue(changes)
  const basic = issuer.requests[0]?.headers.authorization?.replace('Basic ', '') ?? ''
  const [robot, token = ''] = atob(basic).split(':')
  const { payload } = await jwtVerify(token, clusterKeys, { audience: audience ?? issuer.url })
  expect(robot).toBe('acme+puller')
  expect(payload.sub).toMatch(/^system:serviceaccount:[\w-]+:quay-puller$/)
})

test('the login is for the host of the URL, until the token ends', async () => {
  const { given, expiresAt } = await issue()
  const login = { username: 'acme+puller', password: tokenWith({ exp }) }
  expect(given).toEqual({ entries: new Map([[new URL(issuer.url).host, login]]) })
  expect(expiresAt).toEqual(new Date('2100-01-01T00:00:00Z'))
})

test('a ServiceAccount that does not exist is told, and Quay is not asked', async () => {
  const message = "ServiceAccount missing does not exist in the operator's namespace; create it there."
  const problem = { reason: 'SourceNotFound', message }
  await expect(issue({ serviceAccountName: 'missing' })).rejects.toMatchObject(problem)
  expect(issuer.requests).toEqual([])
})

test('when Quay does not take the token, it is told what to look at', async () => {
  issuer.answer = () => ({ status: 400, body: { message: 'Token does not match robot' } })
  const message = `${new URL(issuer.url).host} refuses (400); check that robot acme+puller trusts ServiceAccount quay-puller.`
  await expect(issue()).rejects.toMatchObject({ reason: 'IssuerRefused', message })
})

test('a token that does not say when it ends is not used', async () => {
  issuer.answer = () => ({ body: { token: tokenWith({ iat: 1 }) } })
  const message = `${new URL(issuer.url).host} answered, but its answer has a token that does not say when it ends.`
  await expect(issue()).rejects.toMatchObject({ reason: 'IssuerInvalid', message })
})
