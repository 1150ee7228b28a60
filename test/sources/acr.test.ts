import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { OutboundError } from '../../src/http/outbound-error.ts'
import type { SpecOf } from '../../src/sources/source.ts'
import { issue } from '../../src/sources/sources.ts'
import { acrAssertionCase, acrSecretCase, clientId, tenantId } from './acr.case.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const wish = { secret: 'jti-of-the-wish', expiresAt: new Date(Date.UTC(2099, 0, 1)) }

describe('Azure', () => {
  let lab: SourceLab
  let azure: IssuerServer

  beforeAll(async () => {
    lab = await SourceLab.open()
    await lab.secret('acr', { clientSecret: 'acr-client-secret-91f2' })
    await lab.serviceAccount('acr-puller')
  })

  beforeEach(async () => {
    azure = await lab.issuer(
      acrSecretCase.issuer(() => wish),
      lab.tls,
    )
    process.env.AZURE_AUTHORITY_HOST = azure.url
  })

  afterEach(() => {
    for (const name of ['AZURE_AUTHORITY_HOST', 'AZURE_POD_IDENTITY_AUTHORITY_HOST', 'HTTPS_PROXY']) {
      delete process.env[name]
    }
  })

  async function ask(acr: SpecOf<'acr'>) {
    return await issue({ acr }, lab.context(), never)
  }

  function formsAt(path: string): Record<string, string[]>[] {
    return azure.requests
      .filter((request) => request.path === path)
      .map(({ body }) => new URLSearchParams(body))
      .map((form) => Object.fromEntries([...form.keys()].map((name) => [name, form.getAll(name)])))
  }

  test('gives an application a token by its secret, which the registry takes for one of its own', async () => {
    await ask(acrSecretCase.spec(azure.url))
    expect(formsAt(`/${tenantId}/oauth2/v2.0/token`)).toEqual([
      expect.objectContaining({
        grant_type: ['client_credentials'],
        client_id: [clientId],
        client_secret: ['acr-client-secret-91f2'],
        scope: ['https://containerregistry.azure.net/.default'],
      }),
    ])
    expect(formsAt('/oauth2/exchange')).toEqual([
      {
        grant_type: ['access_token'],
        service: [new URL(azure.url).host],
        tenant: [tenantId],
        access_token: ['entra-3a7c90'],
      },
    ])
    expect(formsAt('/oauth2/token')).toEqual([])
  })

  test('gives an application a token by that of a ServiceAccount, and the registry one for pulling what is named', async () => {
    await ask(acrAssertionCase.spec(azure.url))
    const [form] = formsAt(`/${tenantId}/oauth2/v2.0/token`)
    const [, claims = ''] = form?.client_assertion?.[0]?.split('.') ?? []
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: ['api://AzureADTokenExchange'],
      sub: expect.stringMatching(/:acr-puller$/),
    })
    expect(formsAt('/oauth2/token')).toEqual([
      {
        grant_type: ['refresh_token'],
        service: [new URL(azure.url).host],
        scope: ['repository:team/app:pull', 'repository:base:pull'],
        refresh_token: [expect.any(String)],
      },
    ])
  })

  test.each([undefined, clientId])('gives a managed identity (%s) a token by the metadata service', async (id) => {
    const metadata = await lab.issuer(() => ({ body: { access_token: 'imds-60fe1d', expires_in: '86399' } }))
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = metadata.url
    const { host } = new URL(azure.url)
    await ask({ registry: host, managedIdentity: {}, cloud: 'AzurePublic', ...(id && { clientId: id }) })
    const [request] = metadata.requests
    expect([request?.method, request?.path, request?.headers.metadata]).toEqual([
      'GET',
      '/metadata/identity/oauth2/token',
      'true',
    ])
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      'api-version': '2018-02-01',
      resource: 'https://containerregistry.azure.net',
      ...(id && { client_id: id }),
    })
    expect(formsAt('/oauth2/exchange')).toEqual([
      { grant_type: ['access_token'], service: [host], access_token: ['imds-60fe1d'] },
    ])
    expect(lab.concealed).toContain('imds-60fe1d')
  })

  test('refuses with a code that people can search for, and with what to look at', async () => {
    azure.answer = () => ({
      status: 401,
      body: { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid …', error_codes: [7000215] },
    })
    await expect(ask(acrSecretCase.spec(azure.url))).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: `${new URL(azure.url).host} refuses (401 AADSTS7000215); check source.acr.tenantId and clientId, and clientSecret in Secret acr.`,
    })
  })

  test('is asked by the one way out, whatever proxy the SDK finds', async () => {
    process.env.HTTPS_PROXY = 'http://127.0.0.1:1'
    await expect(ask(acrSecretCase.spec(azure.url))).resolves.toMatchObject({ entries: expect.any(Map) })
  })

  test.each([
    ['AzurePublic', 'login.microsoftonline.com'],
    ['AzureGovernment', 'login.microsoftonline.us'],
    ['AzureChina', 'login.chinacloudapi.cn'],
  ] as const)('is asked for %s at %s and nowhere else', async (cloud, authority) => {
    delete process.env.AZURE_AUTHORITY_HOST
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(new URL(String(input)).host)
      throw new OutboundError('ECONNREFUSED', authority)
    }
    const acr = { ...acrSecretCase.spec('https://acme.azurecr.io'), cloud }
    await expect(issue({ acr }, { ...lab.context(), fetch }, never)).rejects.toMatchObject({
      reason: 'IssuerUnavailable',
      message: `No usable answer from ${authority} (ECONNREFUSED).`,
    })
    expect(asked).toEqual([authority])
  })

  test('is not asked at an authority without TLS', async () => {
    process.env.AZURE_AUTHORITY_HOST = azure.url.replace('https:', 'http:')
    await expect(ask(acrSecretCase.spec(azure.url))).rejects.toMatchObject({
      reason: 'SourceInvalid',
      message: expect.stringContaining('AZURE_AUTHORITY_HOST'),
    })
    expect(azure.requests).toEqual([])
  })
})
