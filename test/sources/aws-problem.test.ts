/** What people are told when AWS refuses: its code, and what to look at by its name in the spec; never what it says. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { ecr } from '../../src/sources/ecr.ts'
import { ecrPublic } from '../../src/sources/ecr-public.ts'
import { awsError, awsIssuer, longTermKeys, stsError } from './aws-issuer.ts'
import type { IssuerAnswer, IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const environment = { ...process.env }
const { signal } = new AbortController()
const secretRef = { name: 'keys' }
const roles = ['first', 'second'].map((role) => ({ arn: `arn:aws:iam::123456789012:role/${role}` }))
const regions = ['eu-central-1']

let lab: SourceLab
let aws: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
  await lab.serviceAccount('puller')
})
beforeEach(async () => {
  aws = await lab.issuer(awsIssuer(() => ({ secret: 'wished', expiresAt: new Date('2099-01-01T00:00:00Z') })))
  process.env.AWS_ENDPOINT_URL = aws.url
})
afterEach(() => {
  process.env = { ...environment }
})

const wrongSecretKey = 'the secretAccessKey of Secret keys, and the clock of this machine'
const unknownKey = 'that the accessKeyId of Secret keys exists, and that its account has eu-central-1 enabled'
const wrongClock = 'the clock of this machine'

describe('ECR refuses', () => {
  test.each([
    ['AccessDeniedException', 400, 'that the identity of Secret keys has the right ecr:GetAuthorizationToken'],
    ['UnrecognizedClientException', 400, unknownKey],
    ['InvalidSignatureException', 400, wrongSecretKey],
    ['ExpiredTokenException', 400, 'that what Secret keys gives has not ended, and the clock of this machine'],
    ['RequestExpired', 400, wrongClock],
  ])('%s', async (code, status, check) => {
    aws.answer = () => awsError(status, code)
    await expect(ecr.issue({ regions, secretRef }, lab.context(), signal)).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: `Amazon ECR in eu-central-1 refuses (${status} ${code}); check ${check}.`,
      retryAfterSeconds: 60,
    })
  })

  test('the role whose rights are missing', async () => {
    const good = aws.answer
    aws.answer = (request) =>
      request.body.startsWith('Action') ? good(request) : awsError(400, 'AccessDeniedException')
    await expect(ecr.issue({ regions, secretRef, roles }, lab.context(), signal)).rejects.toMatchObject({
      message:
        'Amazon ECR in eu-central-1 refuses (400 AccessDeniedException); check that the identity of roles[1] has the right ecr:GetAuthorizationToken.',
    })
  })

  test('with words that are passed on only where they look like a code', async () => {
    aws.answer = () => awsError(400, 'can a r y', 'canary')
    await expect(ecr.issue({ regions, secretRef }, lab.context(), signal)).rejects.toMatchObject({
      message: 'Amazon ECR in eu-central-1 refuses (400).',
    })
  })
})

test('ECR Public wants two rights', async () => {
  aws.answer = () => awsError(400, 'AccessDeniedException')
  await expect(ecrPublic.issue({ secretRef }, lab.context(), signal)).rejects.toMatchObject({
    reason: 'IssuerRefused',
    message:
      'Amazon ECR Public in us-east-1 refuses (400 AccessDeniedException); check that the identity of Secret keys has the rights ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken.',
  })
})

describe('STS refuses', () => {
  const provider =
    'that the account of roles[0] has an identity provider for the issuer of this cluster, with the audience sts.amazonaws.com'
  const trust = (identity: string) =>
    `that the role of roles[0] exists and trusts the identity of ${identity}, with the externalId that is given`

  test.each([
    ['AccessDenied', 403, trust('Secret keys')],
    ['InvalidClientTokenId', 403, unknownKey],
    ['SignatureDoesNotMatch', 403, wrongSecretKey],
  ])('keys: %s', async (code, status, check) => {
    aws.answer = () => stsError(status, code)
    await expect(ecr.issue({ regions, secretRef, roles }, lab.context(), signal)).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: `AWS STS in eu-central-1, asked for roles[0], refuses (${status} ${code}); check ${check}.`,
    })
  })

  test.each([
    ['AccessDenied', 403, trust('ServiceAccount puller')],
    ['InvalidIdentityToken', 400, provider],
    ['IDPRejectedClaim', 403, provider],
  ])('a token: %s', async (code, status, check) => {
    aws.answer = () => stsError(status, code)
    const asked = ecr.issue({ regions, serviceAccountName: 'puller', roles }, lab.context(), signal)
    await expect(asked).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: expect.stringMatching(`^AWS STS .* refuses \\(${status} ${code}(Exception)?\\); check `),
    })
    await expect(asked).rejects.toThrow(check)
  })
})

describe('it passes', () => {
  const retryAfter = { 'retry-after': '7' }
  test.each<[string, IssuerAnswer, string, number | undefined]>([
    ['that AWS is busy', awsError(400, 'ThrottlingException'), 'RateLimited', undefined],
    [
      'that it is busy for a time that it tells',
      { ...awsError(400, 'ThrottlingException'), headers: retryAfter },
      'RateLimited',
      7,
    ],
    ['that it cannot answer', awsError(500, 'ServerException'), 'IssuerUnavailable', undefined],
    [
      'that a proxy in front of it cannot',
      { status: 503, body: '<html>canary</html>' },
      'IssuerUnavailable',
      undefined,
    ],
  ])('%s', async (_, answer, reason, retryAfterSeconds) => {
    aws.answer = () => answer
    await expect(ecr.issue({ regions, secretRef }, lab.context(), signal)).rejects.toMatchObject({
      reason,
      retryAfterSeconds,
      message: expect.not.stringContaining('canary'),
    })
  })

  test("that it does not reach the cluster's issuer", async () => {
    aws.answer = () => stsError(400, 'IDPCommunicationError')
    const asked = ecr.issue({ regions, serviceAccountName: 'puller', roles }, lab.context(), signal)
    await expect(asked).rejects.toMatchObject({ reason: 'IssuerUnavailable' })
  })
})
