/** An OIDC provider that does not say how long its access tokens live but in themselves. */
import type { SourceCase, Wish } from './contract.ts'

export const tokenExchangeCase: SourceCase<'tokenExchange'> = {
  kind: 'tokenExchange',
  issuer: (wish) => (request) => {
    const issuer = `http://${request.headers.host}`
    switch (request.path) {
      case '/.well-known/openid-configuration':
        return { body: { issuer, token_endpoint: `${issuer}/token` } }
      case '/token':
        return { body: { access_token: tokenOf(wish()), token_type: 'Bearer' } }
      default:
        return { status: 404, body: { error: 'not_found' } }
    }
  },
  spec: (issuer) => ({
    issuer,
    serviceAccountName: 'sts-client',
    clientId: 'regcred-operator',
    secretRef: { name: 'sts' },
    username: 'oauth2accesstoken',
  }),
  secrets: { sts: { clientSecret: 'exampleOfAClientSecret' } },
  serviceAccounts: ['sts-client'],
  registries: ['registry.example.com'],
  expected: (wish) => new Map([['registry.example.com', { username: 'oauth2accesstoken', password: tokenOf(wish) }]]),
  tellsExpiry: true,
}

/** A JWT, whose signature is the registry's business. */
function tokenOf({ secret, expiresAt }: Wish): string {
  const parts = [{ alg: 'RS256' }, { exp: expiresAt.getTime() / 1000, jti: secret }]
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'signature'].join('.')
}
