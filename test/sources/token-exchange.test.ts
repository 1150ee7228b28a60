/** The exchange with a real OIDC provider that trusts the cluster, and what a provider must not lead it to. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { SpecOf } from '../../src/sources/source.ts'
import { issue, type Material } from '../../src/sources/sources.ts'
import { openClient } from '../kube/setup.ts'
import { audience, clientId, clientSecret, lifeSeconds, scope, startProvider } from './exchanging-provider.ts'
import type { Handler } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

type Spec = SpecOf<'tokenExchange'>

const registry = 'registry.example.com'
const never = new AbortController().signal

let lab: SourceLab

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.serviceAccount('sts-client')
  await lab.secret('sts', { clientSecret })
  await lab.secret('sts-wrong', { clientSecret: 'another' })
})

function spec(issuer: string, rest: Partial<Spec> = {}): Spec {
  return { issuer, serviceAccountName: 'sts-client', clientId, audience, scope, username: 'oauth2accesstoken', ...rest }
}

function ask(spec: Spec): Promise<Material> {
  return issue({ tokenExchange: spec }, lab.context({ registries: [registry] }), never)
}

function passwordOf({ entries }: Material): string {
  return entries.get(registry)?.password ?? ''
}

function says(reason: string, words: string) {
  return { name: 'SourceProblem', reason, message: expect.stringContaining(words) }
}

describe('with a provider that trusts the cluster', () => {
  test('a token of the ServiceAccount becomes an access token, for as long as the provider says', async () => {
    const provider = await startProvider(openClient())
    const before = Date.now()
    const material = await ask(spec(provider.issuer))
    const token = passwordOf(material)
    const [subject] = provider.subjects
    expect(subject?.sub).toMatch(/^system:serviceaccount:.*:sts-client$/)
    expect(decodeJwt(token)).toMatchObject({ iss: provider.issuer, sub: subject?.sub, aud: audience, scope })
    expect(material.entries.get(registry)?.username).toBe('oauth2accesstoken')
    const lives = Number(material.expiresAt) - lifeSeconds * 1_000
    expect([before <= lives, lives <= Date.now()]).toEqual([true, true])
    expect([...lab.concealed]).toEqual(expect.arrayContaining([token]))
  })

  test('the token of the ServiceAccount is for the audience that the credential names', async () => {
    const provider = await startProvider(openClient(), 'sts.test')
    await ask(spec(provider.issuer, { subjectAudience: 'sts.test' }))
    expect(provider.subjects.map(({ aud }) => aud)).toEqual([['sts.test']])
    await expect(ask(spec(provider.issuer))).rejects.toMatchObject({
      ...says('IssuerRefused', `refuses (400 invalid_grant); check that it trusts the tokens of this cluster`),
      message: expect.stringContaining(`ServiceAccount sts-client and the audience ${provider.issuer}.`),
      retryAfterSeconds: 60,
    })
  })

  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'a secret is sent as it takes it: %s',
    async (method) => {
      const { issuer } = await startProvider(openClient(), undefined, method)
      expect(passwordOf(await ask(spec(issuer, { secretRef: { name: 'sts' } })))).toMatch(/^ey/)
      await expect(ask(spec(issuer, { secretRef: { name: 'sts-wrong' } }))).rejects.toMatchObject(
        says(
          'IssuerRefused',
          '(401 invalid_client); check source.tokenExchange.clientId, and the key clientSecret of Secret sts-wrong.',
        ),
      )
      await expect(ask(spec(issuer))).rejects.toMatchObject(
        says(
          'IssuerRefused',
          'invalid_client); check source.tokenExchange.clientId, and whether that client needs secretRef',
        ),
      )
    },
  )

  test('a secret is not sent where neither way is known', async () => {
    const { issuer } = await startProvider(openClient(), undefined, 'client_secret_jwt')
    const asked = ask(spec(issuer, { secretRef: { name: 'sts' } }))
    await expect(asked).rejects.toMatchObject(says('IssuerInvalid', 'takes no client secret'))
  })

  test('an audience that it does not know is named', async () => {
    const { issuer } = await startProvider(openClient())
    const asked = ask(spec(issuer, { audience: 'https://elsewhere.example.com' }))
    await expect(asked).rejects.toMatchObject(
      says('IssuerRefused', '(400 invalid_target); check source.tokenExchange.audience.'),
    )
  })
})

describe('a provider', () => {
  /** Its discovery document says this; its token endpoint gives a token. */
  async function provider(document: (url: string) => object, token: object = {}) {
    const handler: Handler = ({ path, headers }) =>
      path === '/.well-known/openid-configuration'
        ? { body: document(`http://${headers.host}`) }
        : { body: { access_token: 'opaque-token', token_type: 'N_A', ...token } }
    return await lab.issuer(handler)
  }

  test.each([
    [
      'has its token endpoint on another server',
      (url: string) => ({ issuer: url, token_endpoint: 'https://other.example.com/t' }),
      'has a token_endpoint on another server',
    ],
    [
      'has it on another port',
      (url: string) => ({ issuer: url, token_endpoint: 'http://127.0.0.1:1/t' }),
      'has a token_endpoint on another server',
    ],
    ['has none', (url: string) => ({ issuer: url }), 'has no token_endpoint'],
    [
      'has one that is no URL',
      (url: string) => ({ issuer: url, token_endpoint: 'token' }),
      'has a token_endpoint on another',
    ],
    [
      'is another issuer',
      (url: string) => ({ issuer: `${url}/realm`, token_endpoint: `${url}/token` }),
      'names another issuer',
    ],
  ])('that %s gets no token', async (_, document, words) => {
    const { url, requests } = await provider(document)
    await expect(ask(spec(url))).rejects.toMatchObject(says('IssuerInvalid', words))
    expect(requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration'])
  })

  test('may give a token that is no access token, and not say when it ends', async () => {
    const { url, requests } = await provider((issuer) => ({ issuer, token_endpoint: `${issuer}/token` }))
    const { entries, expiresAt } = await ask(spec(url, { subjectAudience: 'sts.test' }))
    expect(entries.get(registry)?.password).toBe('opaque-token')
    expect(expiresAt).toBeUndefined()
    const form = new URLSearchParams(requests[1]?.body)
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: clientId,
      subject_token: expect.stringMatching(/^ey/),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience,
      scope,
    })
  })

  test('that is none is not asked for a token', async () => {
    const { url } = await lab.issuer(() => ({ status: 404, body: 'Not found' }))
    await expect(ask(spec(url))).rejects.toMatchObject(
      says('IssuerRefused', 'refuses (404); check that source.tokenExchange.issuer is an OIDC provider'),
    )
  })
})
