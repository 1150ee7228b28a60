/** What went wrong in a call of AWS, as a problem that is safe to show and says what to look at. */
import { retryAfterSeconds } from '../http/retry-after.ts'
import type { AwsCall } from './aws-call.ts'
import { refusal, toSourceProblem } from './issuer.ts'
import { SourceProblem } from './source-problem.ts'

const services = { ECR: 'Amazon ECR', ECR_PUBLIC: 'Amazon ECR Public', STS: 'AWS STS' }

/** Names of errors, without the `Exception` that some services add, of what passes: AWS gives them the status 400. */
const busy = new Set(['RequestLimitExceeded', 'RequestThrottled', 'Throttle', 'Throttling', 'TooManyRequests'])
const unreachable = 'IDPCommunicationError'

/** Likewise, with what to look at. */
const checks: Readonly<Record<string, (call: AwsCall) => string>> = {
  AccessDenied: (call) => rights[call.service](call),
  ExpiredToken: ({ identity }) => `that what ${identity.name} gives has not ended, and the clock of this machine`,
  IDPRejectedClaim: provider,
  InvalidClientTokenId: accessKey,
  InvalidIdentityToken: provider,
  InvalidSignature: secretKey,
  RequestExpired: clock,
  RequestTimeTooSkewed: clock,
  SignatureDoesNotMatch: secretKey,
  UnrecognizedClient: accessKey,
}

const rights: Record<AwsCall['service'], (call: AwsCall) => string> = {
  ECR: ({ identity }) => `that the identity of ${identity.name} has the right ecr:GetAuthorizationToken`,
  ECR_PUBLIC: ({ identity }) =>
    `that the identity of ${identity.name} has the rights ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken`,
  STS: ({ identity, field }) =>
    `that the role of ${field} exists and trusts the identity of ${identity.name}, with the externalId that is given`,
}

/** What the service is called in messages. */
export function issuerOf({ service, region, field }: AwsCall): string {
  return `${services[service]} in ${region}${service === 'STS' ? `, asked for ${field},` : ''}`
}

/**
 * @param error whatever the SDK threw
 * @param answer undefined when there was none
 */
export function awsProblem(error: unknown, answer: Response | undefined, call: AwsCall): unknown {
  const issuer = issuerOf(call)
  if (answer === undefined || answer.status < 300) return toSourceProblem(error, issuer)
  const { status, headers } = answer
  const code = codeOf(error)
  const kind = code?.replace(/Exception$/, '') ?? ''
  const asked = retryAfterSeconds(headers, Date.now())
  if (busy.has(kind)) {
    return new SourceProblem('RateLimited', `${issuer} asks for fewer requests (${status} ${code}).`, asked)
  }
  if (kind === unreachable) {
    const sentence = `${issuer} cannot reach the identity provider of the role's account (${status} ${code}).`
    return new SourceProblem('IssuerUnavailable', sentence, asked)
  }
  const check = Object.hasOwn(checks, kind) ? checks[kind]?.(call) : undefined
  return refusal({ issuer, status, code, retryAfterSeconds: asked, check })
}

/** Only what the SDK made of an answer has a name that AWS gave. */
function codeOf(error: unknown): string | undefined {
  const { name, $fault } = error as { name?: string; $fault?: unknown }
  return $fault === undefined || name === 'Unknown' ? undefined : name
}

function accessKey({ identity, region }: AwsCall): string {
  return `that the accessKeyId of ${identity.name} exists, and that its account has ${region} enabled`
}

function secretKey({ identity }: AwsCall): string {
  return `the secretAccessKey of ${identity.name}, and the clock of this machine`
}

function clock(): string {
  return 'the clock of this machine'
}

function provider({ field }: AwsCall): string {
  return `that the account of ${field} has an identity provider for the issuer of this cluster, with the audience sts.amazonaws.com`
}
