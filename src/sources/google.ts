/** Access tokens of Google, by each of the ways to prove oneself to it. */
import { JWT } from 'google-auth-library'
import type { ServiceAccountKey } from './google-key.ts'
import { askIssuer, textOf, unusable } from './issuer.ts'
import type { SourceContext, SpecOf } from './source.ts'
import { throughSdk } from './through-sdk.ts'

export interface AccessToken {
  token: string
  expiresAt: Date
}

/** The narrowest that lets pull: cloud.google.com/artifact-registry/docs/integrate-compute, “Required permissions”. */
const pullScope = 'https://www.googleapis.com/auth/devstorage.read_only'
/** What the token of a federated identity needs to get one of a service account. */
const impersonationScope = 'https://www.googleapis.com/auth/cloud-platform'

/** gcloud's own variables for Google's APIs at other places, such as behind Private Service Connect. */
const places: Readonly<Record<string, string>> = {
  'oauth2.googleapis.com': 'CLOUDSDK_AUTH_TOKEN_HOST',
  'sts.googleapis.com': 'CLOUDSDK_API_ENDPOINT_OVERRIDES_STS',
  'iamcredentials.googleapis.com': 'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS',
}

/**
 * By the key of a service account; google-auth-library signs the assertion.
 * @throws SourceProblem
 */
export async function serviceAccountToken(
  { email, privateKey }: ServiceAccountKey,
  { fetch }: SourceContext,
  signal: AbortSignal,
): Promise<AccessToken> {
  const issuer = 'oauth2.googleapis.com'
  const check = `that the key in key.json is not deleted or disabled at ${email}`
  return await throughSdk(fetch, signal, issuer, check, async (send) => {
    const client = new JWT({
      email,
      key: privateKey,
      scopes: [pullScope],
      useAuthRequestParameters: false, // they can log what is sent and answered
      transporterOptions: {
        fetchImplementation: (input, init) => send(placeOf(String(input)), init),
        retryConfig: { retry: 0 },
        noProxy: [/^/], // proxies are the business of `send`
      },
    })
    const { token } = await client.getAccessToken()
    if (!token) throw unusable(issuer, 'has no access_token')
    return { token, expiresAt: dateOf(client.credentials.expiry_date, issuer) }
  })
}

/**
 * By workload identity federation: a ServiceAccount's token is exchanged (RFC 8693), and may then get one of a service
 * account. Not by the library's IdentityPoolClient: it exchanges by a transport that it cannot be given.
 * @throws SourceProblem
 */
export async function federatedToken(
  { audience, serviceAccountName, impersonate }: NonNullable<SpecOf<'gar'>['workloadIdentity']>,
  context: SourceContext,
  signal: AbortSignal,
): Promise<AccessToken> {
  const subject = await context.requestToken(serviceAccountName, `https:${audience}`)
  const exchange = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: subject.token,
    audience,
    scope: impersonate ? impersonationScope : pullScope,
  })
  const url = new URL(placeOf('https://sts.googleapis.com/v1/token'))
  const check = `that the provider in source.gar.workloadIdentity.audience trusts ServiceAccount ${serviceAccountName}`
  const answer = await askIssuer(context.fetch, url, { method: 'POST', body: exchange, signal }, check)
  const federated = tokenOf(answer, url.host)
  context.conceal(federated.token)
  return impersonate ? await impersonated(impersonate, federated.token, context, signal) : federated
}

/**
 * By the identity of the pod or node, whose scopes are those that it was given. GCE_METADATA_HOST is the variable of
 * Google's own libraries.
 * @throws SourceProblem
 */
export async function metadataToken(
  account: string,
  { metadataFetch }: SourceContext,
  signal: AbortSignal,
): Promise<AccessToken> {
  const host = process.env.GCE_METADATA_HOST || 'metadata.google.internal'
  const url = new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/${account}/token`)
  const headers = { 'metadata-flavor': 'Google' }
  const check = `that the pod or node of the operator has the account ${account}`
  return tokenOf(await askIssuer(metadataFetch, url, { headers, signal }, check), url.host)
}

async function impersonated(
  account: string,
  federated: string,
  { fetch }: SourceContext,
  signal: AbortSignal,
): Promise<AccessToken> {
  const path = `v1/projects/-/serviceAccounts/${account}:generateAccessToken`
  const url = new URL(placeOf(`https://iamcredentials.googleapis.com/${path}`))
  const headers = { authorization: `Bearer ${federated}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ scope: [pullScope] })
  const check = `that the federated identity has roles/iam.workloadIdentityUser on ${account}`
  const answer = await askIssuer(fetch, url, { method: 'POST', headers, body, signal }, check)
  const token = textOf(answer, 'accessToken', url.host)
  return { token, expiresAt: dateOf(answer.expireTime, url.host) }
}

function tokenOf(answer: Record<string, unknown>, issuer: string): AccessToken {
  const token = textOf(answer, 'access_token', issuer)
  const seconds = typeof answer.expires_in === 'number' ? answer.expires_in : Number.NaN
  return { token, expiresAt: dateOf(Date.now() + seconds * 1_000, issuer) }
}

function dateOf(time: unknown, issuer: string): Date {
  const date = typeof time === 'number' || typeof time === 'string' ? new Date(time) : undefined
  if (date === undefined || Number.isNaN(date.getTime())) throw unusable(issuer, 'does not say when its token ends')
  return date
}

function placeOf(url: string): string {
  const { hostname, pathname } = new URL(url)
  const place = process.env[places[hostname] ?? '']
  return place ? (URL.parse(pathname, place)?.href ?? place) : url
}
