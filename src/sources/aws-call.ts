/** One call of an AWS service by a client of the SDK, sent by the operator's own way out and by nothing else. */
import { awsProblem } from './aws-problem.ts'
import type { SourceContext } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/** Long-term keys, or those of a role with their session token. */
export interface AwsKeys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** Who asks: by keys, or with a ServiceAccount's token, which only a role can be had for. */
export type AwsIdentity = {
  /** What the owner of the credential knows it by, for messages. */
  name: string
} & ({ keys: AwsKeys } | { token: string })

export interface AwsCall {
  /** As the SDK's environment variables AWS_ENDPOINT_URL_… spell it. */
  service: 'ECR' | 'ECR_PUBLIC' | 'STS'
  region: string
  /** The field that the call is made for. */
  field: string
  identity: AwsIdentity
  context: SourceContext
  signal: AbortSignal
}

/** What every client of the SDK is made of here. */
export type ClientConfig = ReturnType<typeof configOf>

/** Of what the SDK hands to a handler. Both protocols here put everything into the body: there is never a query. */
interface HttpRequest {
  protocol: string
  hostname: string
  port?: number
  path: string
  method: string
  headers: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
}

/**
 * @param open a client; it is closed again
 * @param send one command by it
 * @throws SourceProblem; the reason of `call.signal` when that is aborted
 */
export async function callAws<Client extends { destroy(): void }, Answer>(
  call: AwsCall,
  open: (config: ClientConfig) => Client,
  send: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const { context, signal } = call
  let answer: Response | undefined
  const client = open(
    configOf(call, async ({ protocol, hostname, port, path, ...request }) => {
      const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`
      const { method, headers, body = null } = request
      answer = await context.fetch(url, { method, headers, body, signal })
      return answer
    }),
  )
  try {
    return await send(client)
  } catch (error) {
    throw awsProblem(error, answer, call)
  } finally {
    client.destroy()
  }
}

/** With all that the SDK looks up in ~/.aws, or in other variables of the environment, when it is not told. */
function configOf({ service, region, identity }: AwsCall, send: (request: HttpRequest) => Promise<Response>) {
  const endpoint = endpointOf(service)
  return {
    region,
    ...(endpoint && { endpoint }),
    ...('keys' in identity && { credentials: identity.keys }),
    requestHandler: {
      async handle(request: HttpRequest) {
        const answer = await send(request)
        const body = new Uint8Array(await answer.arrayBuffer())
        return { response: { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body } }
      },
    },
    maxAttempts: 1,
    retryMode: 'standard',
    ignoreConfiguredEndpointUrls: true,
    authSchemePreference: [],
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: '',
    disableClockSkewCorrection: true,
  }
}

/** The SDK's own override. It is read here, since the SDK would look for it in ~/.aws/config too. */
function endpointOf(service: AwsCall['service']): string | undefined {
  const names = [`AWS_ENDPOINT_URL_${service}`, 'AWS_ENDPOINT_URL']
  const name = names.find((name) => process.env[name])
  const url = name && process.env[name]
  if (url && !URL.canParse(url)) {
    throw new SourceProblem(
      'SourceInvalid',
      `The operator's environment variable ${name} is not a URL; mend or unset it.`,
    )
  }
  return url
}
