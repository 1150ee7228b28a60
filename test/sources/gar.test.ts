import { verify } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { SpecOf } from '../../src/sources/source.ts'
import { issue } from '../../src/sources/sources.ts'
import { audience, email, garFederationCase, garKeyCase, keyJson, keys } from './gar.case.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const pull = 'https://www.googleapis.com/auth/devstorage.read_only'
const wish = { secret: 'ya29.token-of-the-wish', expiresAt: new Date(Date.now() + 3_600_000) }

describe('Google', () => {
  let lab: SourceLab
  let google: IssuerServer

  beforeAll(async () => {
    lab = await SourceLab.open()
    await lab.secret('gar', { 'key.json': keyJson })
    await lab.serviceAccount('gar-puller')
  })

  beforeEach(async () => {
    google = await lab.issuer(garKeyCase.issuer(() => wish))
    Object.assign(process.env, garKeyCase.env?.(google.url), { GCE_METADATA_HOST: new URL(google.url).host })
  })

  afterEach(() => {
    for (const name of [...Object.keys(garKeyCase.env?.('') ?? {}), 'GCE_METADATA_HOST', 'HTTPS_PROXY']) {
      delete process.env[name]
    }
  })

  async function ask(gar: SpecOf<'gar'>, registries: readonly string[] | undefined = ['gcr.io']) {
    return await issue({ gar }, lab.context({ registries }), never)
  }

  test('is asked with an assertion of the service account, signed by its key, for a scope that lets only read', async () => {
    await ask(garKeyCase.spec(''))
    const form = new URLSearchParams(google.requests[0]?.body)
    const [header = '', claims = '', signature = ''] = form.get('assertion')?.split('.') ?? []
    expect(
      verify('sha256', Buffer.from(`${header}.${claims}`), keys.publicKey, Buffer.from(signature, 'base64url')),
    ).toBe(true)
    expect(read(claims)).toMatchObject({ iss: email, scope: pull, aud: 'https://oauth2.googleapis.com/token' })
    expect(google.requests).toHaveLength(1)
  })

  test('is asked by the one way out, whatever proxy the library finds', async () => {
    process.env.HTTPS_PROXY = 'no URL'
    await expect(ask(garKeyCase.spec(''))).resolves.toMatchObject({ entries: expect.any(Map) })
  })

  test('takes the token of a ServiceAccount for the provider, and gives one that lets only read', async () => {
    google.answer = () => ({ body: { access_token: wish.secret, expires_in: 3_600 } })
    const { entries } = await ask({ workloadIdentity: { audience, serviceAccountName: 'gar-puller' } })
    expect(entries.get('gcr.io')?.password).toBe(wish.secret)
    const form = new URLSearchParams(google.requests[0]?.body)
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience,
      scope: pull,
    })
    expect(read(form.get('subject_token')?.split('.')[1])).toMatchObject({
      aud: [`https:${audience}`],
      sub: expect.stringMatching(/:gar-puller$/),
    })
  })

  test('gives a federated identity the token of a service account, that lets only read', async () => {
    await ask(garFederationCase.spec(''))
    const [exchange, generate] = google.requests
    expect(new URLSearchParams(exchange?.body).get('scope')).toBe('https://www.googleapis.com/auth/cloud-platform')
    expect(generate?.headers.authorization).toBe('Bearer federated-5d0a1b')
    expect(JSON.parse(generate?.body ?? '')).toEqual({ scope: [pull] })
  })

  test.each([
    ['default', 'default'],
    ['an account of the instance', email],
  ])('gives the token of %s by the metadata server', async (_what, account) => {
    google.answer = () => ({ body: { access_token: wish.secret, expires_in: 1_800, token_type: 'Bearer' } })
    const before = Date.now()
    const { entries, expiresAt } = await ask({ metadataServer: { account } })
    expect(entries).toEqual(new Map([['gcr.io', { username: 'oauth2accesstoken', password: wish.secret }]]))
    expect(Number(expiresAt) - before).toBeGreaterThanOrEqual(1_800_000)
    expect(Number(expiresAt) - Date.now()).toBeLessThanOrEqual(1_800_000)
    expect(lab.concealed).toContain(wish.secret)
    const [request] = google.requests
    expect(request?.path).toBe(`/computeMetadata/v1/instance/service-accounts/${account}/token`)
    expect(request?.headers['metadata-flavor']).toBe('Google')
  })

  test('must say when a token ends', async () => {
    google.answer = () => ({ body: { access_token: wish.secret } })
    await expect(ask({ metadataServer: { account: 'default' } })).rejects.toMatchObject({
      reason: 'IssuerInvalid',
      message: expect.stringContaining('does not say when its token ends'),
    })
  })

  test('refuses with a code that people can search for, and with what to look at', async () => {
    google.answer = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT' } })
    await expect(ask(garKeyCase.spec(''))).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: `${new URL(google.url).host} refuses (400 invalid_grant); check that the key in key.json is not deleted or disabled at ${email}.`,
    })
  })

  test.each([
    'pkg.dev',
    'europe-docker.pkg.dev/acme/',
    '*.pkg.dev',
    '*-docker.pkg.dev',
    'https://EU.gcr.io',
    'gcr.io:443',
  ])('gives a token for %s', async (registry) => {
    await expect(ask(garKeyCase.spec(''), [registry])).resolves.toMatchObject({ entries: { size: 1 } })
  })

  test.each([
    'ghcr.io',
    'docker.io',
    'evilpkg.dev',
    'pkg.dev.example.com',
    'example.com/pkg.dev',
    '*.dev',
    'europe-docker.pkg.*',
    'europe-docker.*.dev',
    '*kg.dev',
    '*',
    'gcr.io.',
  ])('is not asked for a token that would go to %s', async (registry) => {
    await expect(ask(garKeyCase.spec(''), ['gcr.io', registry])).rejects.toMatchObject({
      reason: 'SourceInvalid',
      message: expect.stringContaining(`spec.registries[1], ${registry}, is no registry of Google`),
    })
    expect(google.requests).toEqual([])
  })

  test('needs to be told the registries', async () => {
    await expect(ask(garKeyCase.spec(''), [])).rejects.toMatchObject({ reason: 'RegistriesRequired' })
  })

  describe('is not asked with a key.json that', () => {
    const good = JSON.parse(keyJson)
    const ec = '-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n'
    const type = 'is no JSON object whose type is service_account'
    test.each([
      ['is no JSON', `{"private_key": "${wish.secret}"`, type],
      ['is null', 'null', type],
      ['names programs or URLs', JSON.stringify({ ...good, type: 'external_account' }), type],
      ['is of a user', JSON.stringify({ ...good, type: 'authorized_user' }), type],
      ['lacks the account', JSON.stringify({ ...good, client_email: undefined }), 'has no client_email'],
      ['lacks the key', JSON.stringify({ ...good, private_key: undefined }), 'has no private_key that is RSA in PEM'],
      ['has a broken key', JSON.stringify({ ...good, private_key: ec }), 'has no private_key that is RSA in PEM'],
    ])('%s', async (what, text, says) => {
      const name = what.replaceAll(' ', '-').toLowerCase()
      await lab.secret(name, { 'key.json': text })
      await expect(ask({ secretRef: { name } })).rejects.toMatchObject({
        reason: 'SourceInvalid',
        message: `key.json of Secret ${name} ${says}; put the key of a service account there, as gcloud iam service-accounts keys create writes it.`,
      })
      expect(google.requests).toEqual([])
    })
  })
})

function read(part: string | undefined): unknown {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
}
