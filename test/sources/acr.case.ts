/** Microsoft Entra gives a token to an application, and an Azure Container Registry its own token for that. */
import type { SourceCase, Wish } from './contract.ts'
import type { Handler, IssuerRequest } from './issuer-server.ts'

export const tenantId = '11111111-2222-3333-4444-555555555555'
export const clientId = '66666666-7777-8888-9999-000000000000'
const repositories = ['team/app', 'base']
const username = '00000000-0000-0000-0000-000000000000'

const common: Pick<SourceCase<'acr'>, 'kind' | 'issuer' | 'env' | 'tls' | 'tellsExpiry'> = {
  kind: 'acr',
  issuer(wish): Handler {
    return ({ path, headers: { host } }: IssuerRequest) => {
      switch (path) {
        case `/${tenantId}/v2.0/.well-known/openid-configuration`:
          return { body: discovery(`https://${host}/${tenantId}`) }
        case `/${tenantId}/oauth2/v2.0/token`:
          return { body: { access_token: 'entra-3a7c90', expires_in: 3_599, token_type: 'Bearer' } }
        case '/oauth2/exchange':
          return { body: { refresh_token: tokenOf('refresh', wish()) } }
        case '/oauth2/token':
          return { body: { access_token: tokenOf('access', wish()) } }
        default:
          return { status: 404 }
      }
    }
  },
  env: (url) => ({ AZURE_AUTHORITY_HOST: url }),
  tls: true,
  tellsExpiry: true,
}

export const acrSecretCase: SourceCase<'acr'> = {
  ...common,
  spec: (url) => ({ ...application(url), secretRef: { name: 'acr' } }),
  secrets: { acr: { clientSecret: 'acr-client-secret-91f2' } },
  expected: (wish, url) => new Map([[new URL(url).host, { username, password: tokenOf('refresh', wish) }]]),
}

export const acrAssertionCase: SourceCase<'acr'> = {
  ...common,
  spec: (url) => ({ ...application(url), serviceAccountName: 'acr-puller', repositories }),
  secrets: {},
  serviceAccounts: ['acr-puller'],
  expected: (wish, url) =>
    new Map(
      repositories.map((name) => [`${new URL(url).host}/${name}`, { username, password: tokenOf('access', wish) }]),
    ),
}

function application(url: string) {
  return { registry: new URL(url).host, tenantId, clientId, cloud: 'AzurePublic' as const }
}

/** What MSAL asks a tenant of an authority that it does not know. */
function discovery(tenant: string) {
  return {
    issuer: `${tenant}/v2.0`,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
  }
}

/** A JWT, whose signature nobody but the registry looks at. */
function tokenOf(kind: 'refresh' | 'access', { secret, expiresAt }: Wish): string {
  const parts = [{ alg: 'RS256' }, { exp: expiresAt.getTime() / 1_000, grant: kind, jti: secret }]
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'signature'].join('.')
}
