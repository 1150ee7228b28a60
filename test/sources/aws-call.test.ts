/** The SDK as it is used here: where it sends what, and that nothing on this machine has a say in it but what is documented. */
import files from 'node:fs/promises'
import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import type { SourceContext } from '../../src/sources/source.ts'
import { awsIssuer, longTermKeys } from './aws-issuer.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

// The SDK keeps the function that it finds when it is loaded.
const read = jest.spyOn(files, 'readFile')
const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
const { ecr } = await import('../../src/sources/ecr.ts')
const { ecrPublic } = await import('../../src/sources/ecr-public.ts')

const environment = { ...process.env }
const { signal } = new AbortController()
const secretRef = { name: 'keys' }
const roles = [{ arn: 'arn:aws:iam::123456789012:role/pull' }]

let lab: SourceLab
let aws: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
  await lab.serviceAccount('puller')
})
beforeEach(async () => {
  aws = await lab.issuer(awsIssuer(() => ({ secret: 'wished', expiresAt: new Date('2099-01-01T00:00:00Z') })))
})
afterEach(() => {
  process.env = { ...environment }
  expect(read).not.toHaveBeenCalled()
})

/** Where the first request would go. */
async function destination(ask: (context: SourceContext) => Promise<unknown>): Promise<string | undefined> {
  const urls: string[] = []
  const fetch = async (url: unknown) => {
    urls.push(String(url))
    return new Response('', { status: 500 })
  }
  await expect(ask({ ...lab.context(), fetch })).rejects.toMatchObject({ reason: 'IssuerUnavailable' })
  return urls[0]
}

test.each([
  ['eu-central-1', 'https://api.ecr.eu-central-1.amazonaws.com/', 'https://sts.eu-central-1.amazonaws.com/'],
  ['us-gov-west-1', 'https://api.ecr.us-gov-west-1.amazonaws.com/', 'https://sts.us-gov-west-1.amazonaws.com/'],
  ['cn-north-1', 'https://api.ecr.cn-north-1.amazonaws.com.cn/', 'https://sts.cn-north-1.amazonaws.com.cn/'],
])('in %s its own endpoints are asked, by TLS', async (region, registry, sts) => {
  expect(await destination((context) => ecr.issue({ regions: [region], secretRef }, context, signal))).toBe(registry)
  const regions = [region, 'ap-south-1']
  expect(await destination((context) => ecr.issue({ regions, secretRef, roles }, context, signal))).toBe(sts)
})

test('ECR Public is asked in us-east-1, and so is STS for it', async () => {
  expect(await destination((context) => ecrPublic.issue({ secretRef }, context, signal))).toBe(
    'https://api.ecr-public.us-east-1.amazonaws.com/',
  )
  expect(await destination((context) => ecrPublic.issue({ secretRef, roles }, context, signal))).toBe(
    'https://sts.us-east-1.amazonaws.com/',
  )
})

test('the endpoint of a service goes before the one of all', async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: 'https://all.example.com',
    AWS_ENDPOINT_URL_ECR: 'https://ecr.example.com:8443/path',
  })
  const ofEcr = await destination((context) => ecr.issue({ regions: ['eu-central-1'], secretRef }, context, signal))
  expect(ofEcr).toBe('https://ecr.example.com:8443/path/')
  const ofPublic = await destination((context) => ecrPublic.issue({ secretRef }, context, signal))
  expect(ofPublic).toBe('https://all.example.com/')
})

test('an endpoint that is no URL is told by the name of its variable', async () => {
  process.env.AWS_ENDPOINT_URL_ECR_PUBLIC = 'example.com'
  await expect(ecrPublic.issue({ secretRef }, lab.context(), signal)).rejects.toMatchObject({
    reason: 'SourceInvalid',
    message: "The operator's environment variable AWS_ENDPOINT_URL_ECR_PUBLIC is not a URL; mend or unset it.",
  })
})

test('neither ~/.aws nor the AWS environment of the operator is looked at', async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_CONFIG_FILE: '/nowhere/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
    AWS_PROFILE: 'foreign',
    AWS_ACCESS_KEY_ID: 'AKIAFOREIGN',
    AWS_SECRET_ACCESS_KEY: 'foreign',
    AWS_REGION: 'ap-south-1',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    AWS_MAX_ATTEMPTS: '9',
    // With an endpoint of one's own either is an error.
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_SDK_UA_APP_ID: 'foreign',
  })
  await ecr.issue({ regions: ['eu-central-1'], secretRef, roles }, lab.context(), signal)
  await ecrPublic.issue({ serviceAccountName: 'puller', roles }, lab.context(), signal)
  expect(aws.requests).toHaveLength(4)
  expect(aws.requests.map(({ headers }) => headers['user-agent']).join()).not.toContain('foreign')
})

test('the SDK would look there if it were not told everything', async () => {
  const client = new ECRClient({ region: 'eu-central-1', credentials: longTermKeys, endpoint: aws.url })
  await client.send(new GetAuthorizationTokenCommand({}))
  client.destroy()
  expect(read).toHaveBeenCalled()
  read.mockClear()
})
