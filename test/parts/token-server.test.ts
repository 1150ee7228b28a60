/** The token server by itself; test/parts/registry.test.ts shows that a registry believes it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { fetch } from 'undici'
import { startTokenServer, type TokenServer } from './token-server.ts'

let server: TokenServer
beforeAll(async () => {
  server = await startTokenServer({
    users: { alice: { password: 'with:colon', grants: { 'team/app': ['pull', 'push'] } } },
    publicRepositories: ['public/app'],
  })
})
afterAll(() => server.stop())
beforeEach(() => server.setPassword('alice', 'with:colon'))

interface Answer {
  status: number
  body: { token?: string; access_token?: string; refresh_token?: string; scope?: string; expires_in?: number }
}

async function get(query: string, authorization?: string): Promise<Answer> {
  const url = `${server.trust.realm}?service=test-registry&${query}`
  const answer = await fetch(url, { headers: authorization === undefined ? {} : { authorization } })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}

async function post(form: Record<string, string>): Promise<Answer> {
  const body = new URLSearchParams({ service: 'test-registry', client_id: 'test', ...form })
  const answer = await fetch(server.trust.realm, { method: 'POST', body })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}

const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`
const ALICE = basic('alice:with:colon')
const PASSWORD = { grant_type: 'password', username: 'alice', password: 'with:colon' }

/** What the token states. */
const claimsOf = ({ body }: Answer): Record<string, unknown> =>
  JSON.parse(Buffer.from(body.access_token?.split('.')[1] ?? '', 'base64url').toString())

const access = (name: string, ...actions: string[]) => ({ type: 'repository', name, actions })

describe('GET', () => {
  test('each of several scopes is answered by what is granted', async () => {
    const query = 'scope=repository:team/app:pull,push,delete&scope=repository:public/app:pull,push'
    const answer = await get(`${query}&scope=repository:team/other:pull`, ALICE)
    expect(claimsOf(answer)).toMatchObject({
      iss: server.trust.issuer,
      aud: server.trust.service,
      sub: 'alice',
      access: [access('team/app', 'pull', 'push'), access('public/app', 'pull')],
    })
    expect(answer.body).toMatchObject({ token: answer.body.access_token, expires_in: 300 })
    expect(answer.body).not.toHaveProperty('refresh_token')
  })

  test.each([
    { what: 'a wrong password', authorization: basic('alice:wrong'), user: 'alice' },
    { what: 'an unknown user', authorization: basic('bob:with:colon'), user: 'bob' },
    { what: 'a login without a colon', authorization: basic('alice'), user: undefined },
    { what: 'another scheme', authorization: 'Bearer with:colon', user: undefined },
  ])('$what is refused, also where anybody may pull', async ({ authorization, user }) => {
    expect((await get('scope=repository:public/app:pull', authorization)).status).toBe(401)
    expect(server.requests.at(-1)).toEqual({
      method: 'GET',
      user,
      scopes: ['repository:public/app:pull'],
      status: 401,
    })
  })

  test('a changed password counts at once', async () => {
    server.setPassword('alice', 'new')
    expect((await get('', ALICE)).status).toBe(401)
    expect((await get('', basic('alice:new'))).status).toBe(200)
    expect(() => server.setPassword('bob', 'new')).toThrow('the token server has no user bob')
  })
})

describe('POST', () => {
  test('a password gets a token, named access_token only', async () => {
    const scope = 'repository:team/app:pull repository:team/other:pull'
    const answer = await post({ ...PASSWORD, scope })
    expect(claimsOf(answer)).toMatchObject({ sub: 'alice', access: [access('team/app', 'pull')] })
    expect(answer.body).toMatchObject({ scope: 'repository:team/app:pull' })
    expect(answer.body).not.toHaveProperty('token')
    expect(server.requests.at(-1)).toEqual({ method: 'POST', user: 'alice', scopes: scope.split(' '), status: 200 })
  })

  test.each([
    { what: 'a wrong password', form: { ...PASSWORD, password: 'wrong' } },
    { what: 'a refresh token of nobody', form: { grant_type: 'refresh_token', refresh_token: 'unknown' } },
    { what: 'another grant', form: { ...PASSWORD, grant_type: 'client_credentials' } },
  ])('$what is refused', async ({ form }) => {
    expect((await post(form)).status).toBe(401)
  })

  test.each([
    { by: 'GET', login: () => get('offline_token=true', ALICE) },
    { by: 'POST', login: () => post({ ...PASSWORD, access_type: 'offline' }) },
  ])('a refresh token got by $by stands for the login until the password changes', async ({ login }) => {
    const { body } = await login()
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
    const answer = await post({ ...form, scope: 'repository:team/app:pull' })
    expect(claimsOf(answer)).toMatchObject({ sub: 'alice', access: [access('team/app', 'pull')] })
    server.setPassword('alice', 'new')
    expect((await post(form)).status).toBe(401)
  })
})
