/** Access tokens of Microsoft Entra for an application, by @azure/identity. */
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline'
import { ClientAssertionCredential, ClientSecretCredential } from '@azure/identity'
import { readKeys } from './identity.ts'
import type { SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'
import { throughSdk } from './through-sdk.ts'

const authorities = {
  AzurePublic: 'https://login.microsoftonline.com',
  AzureGovernment: 'https://login.microsoftonline.us',
  AzureChina: 'https://login.chinacloudapi.cn',
}

/** The audience of the federated credential of an application. */
const assertionAudience = 'api://AzureADTokenExchange'

/**
 * @param scope what the token is to be for, such as `https://containerregistry.azure.net/.default`
 * @throws SourceProblem
 */
export async function entraToken(
  spec: SpecOf<'acr'>,
  scope: string,
  context: SourceContext,
  signal: AbortSignal,
): Promise<string> {
  const authority = authorityOf(spec)
  const newCredential = await credentialOf(spec, context)
  const check = `source.acr.tenantId and clientId, and ${proofOf(spec)}`
  return await throughSdk(context.fetch, signal, authority.host, check, async (send) => {
    const credential = newCredential({
      authorityHost: authority.origin,
      // It would ask login.microsoftonline.com about the authority, which is not chosen by the owner of the credential.
      disableInstanceDiscovery: true,
      httpClient: httpClientOf(send),
      retryOptions: { maxRetries: 0 },
    })
    return (await credential.getToken(scope)).token
  })
}

/** AZURE_AUTHORITY_HOST is the SDK's own variable: of clouds beside the three, and of tests. */
function authorityOf({ cloud }: SpecOf<'acr'>): URL {
  const authority = URL.parse(process.env.AZURE_AUTHORITY_HOST || authorities[cloud])
  if (authority?.protocol === 'https:') return authority
  throw new SourceProblem(
    'SourceInvalid',
    'AZURE_AUTHORITY_HOST in the environment of the operator is no URL with https://; correct it there.',
  )
}

type Options = NonNullable<ConstructorParameters<typeof ClientSecretCredential>[3]>

async function credentialOf(spec: SpecOf<'acr'>, context: SourceContext) {
  const { tenantId = '', clientId = '', secretRef, serviceAccountName = '' } = spec // the schema asks for them
  if (secretRef) {
    const { clientSecret } = await readKeys(context, secretRef.name, ['clientSecret'])
    return (options: Options) => new ClientSecretCredential(tenantId, clientId, clientSecret, options)
  }
  const { token } = await context.requestToken(serviceAccountName, assertionAudience)
  return (options: Options) => new ClientAssertionCredential(tenantId, clientId, async () => token, options)
}

/** What an application proves itself with, for people. */
function proofOf({ secretRef, serviceAccountName }: SpecOf<'acr'>): string {
  if (secretRef) return `clientSecret in Secret ${secretRef.name}`
  return `that the application has a federated credential for ServiceAccount ${serviceAccountName}`
}

/** All that the SDK sends goes this way; the SDK's own agents, proxies and signals have no say. */
function httpClientOf(send: typeof fetch): HttpClient {
  return {
    async sendRequest(request) {
      const { url, method, headers, body } = request
      const response = await send(url, {
        method,
        headers: headers.toJSON(),
        body: (body as string | undefined) ?? null,
      })
      return {
        request,
        status: response.status,
        headers: createHttpHeaders(Object.fromEntries(response.headers)),
        bodyAsText: await response.text(),
      }
    },
  }
}
