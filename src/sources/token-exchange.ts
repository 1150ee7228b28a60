/** `source.tokenExchange`: a ServiceAccount's token for an access token of any OIDC provider (RFC 8693, OIDC Discovery). */
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type CustomFetch,
  customFetch,
  discovery,
  genericGrantRequest,
  None,
} from 'openid-client'
import { retryAfterSeconds } from '../http/retry-after.ts'
import { readKeys } from './identity.ts'
import { find, refusal, toSourceProblem, unusable } from './issuer.ts'
import { readObject } from './json-object.ts'
import { expiryOf } from './jwt.ts'
import type { Source, SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'

type Spec = SpecOf<'tokenExchange'>

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

/** How the library calls it when the discovered issuer is not the one that was asked for. */
const otherIssuer = 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
const namesAnother = 'names another issuer; write that one in source.tokenExchange.issuer, if it is to be trusted'

export const tokenExchange: Source<'tokenExchange'> = {
  async issue(spec, context, signal) {
    const issuer = new URL(spec.issuer)
    const subjectAudience = spec.subjectAudience ?? spec.issuer
    const { clientSecret } = spec.secretRef ? await readKeys(context, spec.secretRef.name, ['clientSecret']) : {}
    const { token } = await context.requestToken(spec.serviceAccountName, subjectAudience)
    const asked = Date.now()
    try {
      const provider = await discovery(issuer, spec.clientId, undefined, authentication(issuer.host, clientSecret), {
        [customFetch]: guarded(spec, subjectAudience, context, signal),
        // By http:// the fetch above goes only where the installation lets it.
        execute: issuer.protocol === 'http:' ? [allowInsecureRequests] : [],
      })
      checkEndpoint(provider.serverMetadata().token_endpoint, issuer)
      const answer = await genericGrantRequest(provider, grantType, {
        subject_token: token,
        subject_token_type: jwtType,
        ...(spec.audience && { audience: spec.audience }),
        ...(spec.scope && { scope: spec.scope }),
      })
      context.conceal(answer.access_token)
      const { expires_in: seconds } = answer
      const expiresAt = seconds === undefined ? expiryOf(answer.access_token) : new Date(asked + seconds * 1_000)
      return {
        given: { login: { username: spec.username, password: answer.access_token } },
        ...(expiresAt && { expiresAt }),
      }
    } catch (error) {
      if (error instanceof ClientError && error.code === otherIssuer) throw unusable(issuer.host, namesAnother)
      throw find(error, (each) => each instanceof SourceProblem) ?? toSourceProblem(error, issuer.host)
    }
  },
}

/** Sends by the one way out, and lets no answer but those of success reach the library, whose errors hold the body. */
function guarded(spec: Spec, subjectAudience: string, context: SourceContext, signal: AbortSignal): CustomFetch {
  return async (input, { method, headers, body }) => {
    const url = new URL(input)
    const response = await context.fetch(url, {
      method,
      headers,
      signal,
      ...(body && { body: body as NonNullable<RequestInit['body']> }),
    })
    if (response.ok) return response
    const code = readObject(await response.text())?.error
    const { status } = response
    throw refusal({
      issuer: url.host,
      status,
      code,
      check: checkFor(code, spec, subjectAudience),
      retryAfterSeconds: retryAfterSeconds(response.headers, Date.now()),
    })
  }
}

/** What to look at, by the codes of RFC 6749, 5.2, and RFC 8693, 2.2.2. */
function checkFor(code: unknown, { clientId, secretRef, serviceAccountName }: Spec, subjectAudience: string): string {
  switch (code) {
    case 'invalid_client':
      return secretRef
        ? `source.tokenExchange.clientId, and the key clientSecret of Secret ${secretRef.name}`
        : 'source.tokenExchange.clientId, and whether that client needs secretRef'
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return `that the client ${clientId} may use the grant type ${grantType}`
    case 'invalid_target':
      return 'source.tokenExchange.audience'
    case 'invalid_scope':
      return 'source.tokenExchange.scope'
    case 'invalid_grant':
    case 'invalid_request':
      return `that it trusts the tokens of this cluster, for ServiceAccount ${serviceAccountName} and the audience ${subjectAudience}`
    default:
      return 'that source.tokenExchange.issuer is an OIDC provider, and lets the client exchange tokens'
  }
}

/** By what the provider takes (OIDC Discovery: without a word of it, Basic). */
function authentication(host: string, clientSecret: string | undefined): ClientAuth {
  if (clientSecret === undefined) return None()
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    if (taken.includes('client_secret_basic')) return ClientSecretBasic(clientSecret)(server, ...rest)
    if (taken.includes('client_secret_post')) return ClientSecretPost(clientSecret)(server, ...rest)
    throw unusable(host, 'takes no client secret, neither by client_secret_basic nor by client_secret_post')
  }
}

/** The ServiceAccount's token goes to nobody that the credential does not name, whatever is discovered. */
function checkEndpoint(endpoint: string | undefined, issuer: URL): void {
  if (endpoint === undefined) throw unusable(issuer.host, 'has no token_endpoint')
  if (URL.parse(endpoint)?.origin === issuer.origin) return
  throw unusable(issuer.host, 'has a token_endpoint on another server, which does not get the token')
}
