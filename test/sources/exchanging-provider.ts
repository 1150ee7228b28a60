/**
 * A real OIDC provider (oidc-provider) that exchanges tokens of the cluster's ServiceAccounts. It trusts the cluster as any
 * provider does: by the issuer that the API server names, and the keys that it publishes.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jest } from '@jest/globals'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import Provider, { type ClientAuthMethod, errors, type TokenEndpointGrantContext } from 'oidc-provider'
import type { KubeClient } from '../../src/kube/client.ts'
import { atEnd } from '../kube/setup.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

export const clientId = 'regcred-operator'
export const clientSecret = 'exampleOfAClientSecret'
/** What access tokens are for, what they may do, and how many seconds they live. */
export const audience = 'https://registry.example.com'
export const scope = 'pull'
export const lifeSeconds = 600

interface Parameters {
  subject_token: string
  audience: string
  scope: string
}

export interface ExchangingProvider {
  issuer: string
  /** Claims of the ServiceAccount tokens that were exchanged. */
  subjects: JWTPayload[]
}

/**
 * @param subjectAudience that tokens of ServiceAccounts must be for; undefined: the issuer
 * @param method how the client must prove itself
 */
export async function startProvider(
  client: KubeClient,
  subjectAudience?: string,
  method: ClientAuthMethod = 'none',
): Promise<ExchangingProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const subjects: JWTPayload[] = []
  const accept = 'application/jwk-set+json'
  const keys = createLocalJWKSet(await client.get<JSONWebKeySet>('/openid/v1/jwks', { accept }))
  const cluster = await client.get<{ issuer: string }>('/.well-known/openid-configuration')
  const trusted = { issuer: cluster.issuer, audience: subjectAudience ?? issuer }

  const warnings = jest.spyOn(console, 'warn').mockReturnValue() // of keys and a store that are good for tests only
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: method,
        ...(method !== 'none' && { client_secret: clientSecret }),
        grant_types: [grantType],
        redirect_uris: [],
        response_types: [],
      },
    ],
    clientAuthMethods: [method],
    ttl: { AccessToken: lifeSeconds },
    features: { devInteractions: { enabled: false } },
  })
  warnings.mockRestore()

  async function exchange(ctx: TokenEndpointGrantContext<Parameters>): Promise<void> {
    const { params, client } = ctx.oidc
    const { payload } = await jwtVerify(params.subject_token, keys, trusted).catch(() => {
      throw new errors.InvalidGrant('subject token')
    })
    if (params.audience !== audience) throw new errors.InvalidTarget()
    subjects.push(payload)
    const token = new provider.AccessToken({
      accountId: payload.sub ?? '',
      client,
      grantId: '', // of a consent, which nobody gives here
      gty: 'token_exchange',
      scope: params.scope,
    })
    token.resourceServer = new provider.ResourceServer(audience, {
      scope,
      audience,
      accessTokenFormat: 'jwt',
    })
    const access_token = await token.save()
    ctx.body = { access_token, issued_token_type: accessTokenType, token_type: 'Bearer', expires_in: token.expiration }
  }

  provider.registerGrantType(grantType, exchange, ['audience', 'scope', 'subject_token', 'subject_token_type'])
  server.on('request', provider.callback())
  return { issuer, subjects }
}
