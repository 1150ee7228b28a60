/**
 * `source.acr`: Azure Container Registry. A token of Microsoft Entra is exchanged at the registry for a refresh token,
 * which is a password, or for an access token to some repositories alone (github.com/Azure/acr, docs/AAD-OAuth.md).
 */
import { entraToken } from './entra.ts'
import { askIssuer, textOf, unusable } from './issuer.ts'
import { expiryOf } from './jwt.ts'
import type { Source, SourceContext, SpecOf } from './source.ts'

/** Registries that take no tokens for Azure's management any more take those for this audience. */
const audience = 'https://containerregistry.azure.net'

/** The user of all tokens. */
const username = '00000000-0000-0000-0000-000000000000'

export const acr: Source<'acr'> = {
  async issue(spec, context, signal) {
    const { registry, tenantId, repositories } = spec
    const identityToken = spec.managedIdentity
      ? await managedIdentityToken(spec, context, signal)
      : await entraToken(spec, `${audience}/.default`, context, signal)
    context.conceal(identityToken)

    const check = 'that the identity has the role AcrPull on this registry'
    const ask = async (path: string, wanted: string, form: Record<string, string>, scopes: readonly string[] = []) => {
      const body = new URLSearchParams({ service: registry, ...form })
      for (const scope of scopes) body.append('scope', scope)
      const url = new URL(path, `https://${registry}`)
      const token = textOf(
        await askIssuer(context.fetch, url, { method: 'POST', body, signal }, check),
        wanted,
        registry,
      )
      context.conceal(token)
      return token
    }
    const refreshToken = await ask('/oauth2/exchange', 'refresh_token', {
      grant_type: 'access_token',
      access_token: identityToken,
      ...(tenantId && { tenant: tenantId }),
    })
    const scopes = repositories?.map((name) => `repository:${name}:pull`)
    const again = { grant_type: 'refresh_token', refresh_token: refreshToken }
    const password = scopes ? await ask('/oauth2/token', 'access_token', again, scopes) : refreshToken

    const expiresAt = expiryOf(password)
    if (expiresAt === undefined) throw unusable(registry, 'has a token that does not say when it ends')
    const keys = repositories?.map((name) => `${registry}/${name}`) ?? [registry]
    return { given: { entries: new Map(keys.map((key) => [key, { username, password }])) }, expiresAt }
  },
}

/**
 * Asks the instance metadata service itself: the SDK's ManagedIdentityCredential chooses by the operator's environment
 * whom it asks and with what, and may take a file or another service for it.
 */
async function managedIdentityToken(
  { clientId }: SpecOf<'acr'>,
  { metadataFetch }: SourceContext,
  signal: AbortSignal,
) {
  const host = process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST || 'http://169.254.169.254'
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: audience })
  if (clientId) query.set('client_id', clientId)
  const url = new URL(`/metadata/identity/oauth2/token?${query}`, host)
  const check = 'that the node has a managed identity, and name it by source.acr.clientId if it has several'
  const answer = await askIssuer(metadataFetch, url, { headers: { metadata: 'true' }, signal }, check)
  return textOf(answer, 'access_token', url.host)
}
