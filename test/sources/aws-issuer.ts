/**
 * AWS on loopback, as far as the sources ask it: STS in XML, both kinds of ECR in JSON 1.1. Unlike moto it checks the
 * signatures, and its tokens end when a test says so.
 */
import type { AwsKeys } from '../../src/sources/aws-call.ts'
import type { Wish } from './contract.ts'
import type { Handler, IssuerAnswer, IssuerRequest } from './issuer-server.ts'
import { type Signature, signatureOf } from './sigv4.ts'

/** Of a user of IAM. */
export const longTermKeys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'key/of+somebody' } satisfies AwsKeys

export const account = '123456789012'

/** What STS gives for a role here. */
export function keysOf(role: string): Required<AwsKeys> {
  return { accessKeyId: `ASIA.${role}`, secretAccessKey: `key of ${role}`, sessionToken: `session of ${role}` }
}

/** The domain is of the region's partition. */
export function hostIn(region: string, registryId: string = account): string {
  return `${registryId}.dkr.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

/** `AWS:` and a password of the wish and who asked, so that one sees whose keys were used. */
export function awsIssuer(wish: () => Wish): Handler {
  return (request) => {
    const form = new URLSearchParams(request.body)
    if (form.get('Action') === 'AssumeRoleWithWebIdentity') return roleKeys(form)
    const signature = signatureOf(request)
    const secret = signature && secretOf(signature.accessKeyId, request)
    if (signature === undefined || secret === undefined) return awsError(400, 'UnrecognizedClientException')
    if (!signature.isBy(secret)) return awsError(400, 'InvalidSignatureException')
    if (form.get('Action') === 'AssumeRole') return roleKeys(form)
    return tokenFor(request, signature, wish())
  }
}

/** @param message quoted by nobody */
export function awsError(status: number, code: string, message = 'canary'): IssuerAnswer {
  return { status, body: { __type: `com.amazonaws#${code}`, message } }
}

export function stsError(status: number, code: string, message = 'canary'): IssuerAnswer {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

export function passwordOf({ secret }: Wish, accessKeyId: string, region: string): string {
  return `${secret}:${accessKeyId}:${region}`
}

function tokenFor({ headers, body }: IssuerRequest, { accessKeyId, region }: Signature, wish: Wish): IssuerAnswer {
  const token = {
    authorizationToken: Buffer.from(`AWS:${passwordOf(wish, accessKeyId, region)}`).toString('base64'),
    expiresAt: wish.expiresAt.getTime() / 1_000,
  }
  if (headers['x-amz-target'] === 'SpencerFrontendService.GetAuthorizationToken')
    return json({ authorizationData: token })
  const { registryIds = [account] } = JSON.parse(body) as { registryIds?: string[] }
  const proxyEndpoints = registryIds.map((id) => `https://${hostIn(region, id)}`)
  return json({ authorizationData: proxyEndpoints.map((proxyEndpoint) => ({ ...token, proxyEndpoint })) })
}

function secretOf(accessKeyId: string, { headers }: IssuerRequest): string | undefined {
  if (accessKeyId === longTermKeys.accessKeyId) return longTermKeys.secretAccessKey
  const keys = keysOf(accessKeyId.replace(/^ASIA\./, ''))
  return headers['x-amz-security-token'] === keys.sessionToken ? keys.secretAccessKey : undefined
}

function roleKeys(form: URLSearchParams): IssuerAnswer {
  const action = form.get('Action')
  const [, role = ''] = (form.get('RoleArn') ?? '').split(':role/')
  const { accessKeyId, secretAccessKey, sessionToken } = keysOf(role)
  const credentials = `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`
  const body = `<${action}Response><${action}Result><Credentials>${credentials}</Credentials></${action}Result></${action}Response>`
  return { headers: { 'content-type': 'text/xml' }, body }
}

function json(body: object): IssuerAnswer {
  return { headers: { 'content-type': 'application/x-amz-json-1.1' }, body }
}
