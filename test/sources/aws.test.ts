/** Who asks AWS: keys from a Secret, a ServiceAccount's token, and the roles that are assumed one from the other. */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { decodeJwt } from 'jose'
import { identityOf } from '../../src/sources/aws.ts'
import type { AwsIdentity } from '../../src/sources/aws-call.ts'
import type { SpecOf } from '../../src/sources/source.ts'
import { awsIssuer, keysOf, longTermKeys } from './aws-issuer.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'
import { signatureOf } from './sigv4.ts'

const environment = { ...process.env }
const arn = (role: string) => `arn:aws:iam::123456789012:role/${role}`

let lab: SourceLab
let aws: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
  await lab.secret('temporary', keysOf('somebody'))
  await lab.secret('incomplete', { accessKeyId: 'AKIA' })
  await lab.serviceAccount('puller')
})
beforeEach(async () => {
  lab.concealed.clear()
  aws = await lab.issuer(awsIssuer(() => ({ secret: '', expiresAt: new Date() })))
  process.env.AWS_ENDPOINT_URL_STS = aws.url
})
afterEach(() => {
  process.env = { ...environment }
})

async function ask(spec: SpecOf<'ecrPublic'>, name?: string): Promise<AwsIdentity> {
  const { signal } = new AbortController()
  return identityOf(spec, 'eu-central-1', lab.context(name === undefined ? {} : { name }), signal)
}

/** What was asked of STS, in its order. */
function asked(): URLSearchParams[] {
  return aws.requests.map(({ body }) => new URLSearchParams(body))
}

test('the keys of a Secret are used as they are, and AWS is not asked about them', async () => {
  expect(await ask({ secretRef: { name: 'keys' } })).toEqual({ name: 'Secret keys', keys: longTermKeys })
  expect(await ask({ secretRef: { name: 'temporary' } })).toMatchObject({ keys: keysOf('somebody') })
  expect(aws.requests).toEqual([])
})

test('a Secret without a key is told by both names', async () => {
  await expect(ask({ secretRef: { name: 'incomplete' } })).rejects.toMatchObject({
    reason: 'SourceInvalid',
    message: 'Secret incomplete has no key secretAccessKey; add it.',
  })
})

test('a ServiceAccount proves itself to the first role with a token of the cluster, meant for AWS alone', async () => {
  const identity = await ask({ serviceAccountName: 'puller', roles: [{ arn: arn('first') }] })
  expect(identity).toEqual({ name: 'roles[0]', keys: keysOf('first') })
  const [request] = asked()
  expect(Object.fromEntries(request ?? [])).toEqual({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: arn('first'),
    RoleSessionName: 'regcred-tested',
    WebIdentityToken: expect.any(String),
  })
  const { aud, sub } = decodeJwt(request?.get('WebIdentityToken') ?? '')
  expect(aud).toEqual(['sts.amazonaws.com'])
  expect(sub).toMatch(/^system:serviceaccount:.*:puller$/)
  expect(aws.requests[0]?.headers).not.toHaveProperty('authorization')
})

test('each role is assumed by the one before, with its own external id', async () => {
  const roles = [
    { arn: arn('first'), externalId: 'one' },
    { arn: arn('second') },
    { arn: arn('third'), externalId: 'three' },
  ]
  const identity = await ask({ secretRef: { name: 'keys' }, roles })
  expect(identity).toEqual({ name: 'roles[2]', keys: keysOf('third') })
  const by = aws.requests.map((request) => signatureOf(request)?.accessKeyId)
  expect(by).toEqual([longTermKeys, keysOf('first'), keysOf('second')].map(({ accessKeyId }) => accessKeyId))
  expect(asked().map((form) => [form.get('RoleArn'), form.get('ExternalId')])).toEqual([
    [arn('first'), 'one'],
    [arn('second'), null],
    [arn('third'), 'three'],
  ])
})

test('a chain that a ServiceAccount begins goes on with the keys of its role', async () => {
  const roles = [{ arn: arn('first') }, { arn: arn('second') }]
  expect(await ask({ serviceAccountName: 'puller', roles })).toMatchObject({ keys: keysOf('second') })
  expect(asked().map((form) => form.get('Action'))).toEqual(['AssumeRoleWithWebIdentity', 'AssumeRole'])
})

test('the session is named after the credential, cut to what AWS takes', async () => {
  const name = 'a'.repeat(63)
  await ask({ secretRef: { name: 'keys' }, roles: [{ arn: arn('first') }] }, name)
  expect(asked()[0]?.get('RoleSessionName')).toBe(`regcred-${name}`.slice(0, 64))
})

test('all that is secret on the way is concealed', async () => {
  await ask({ secretRef: { name: 'keys' }, roles: [{ arn: arn('first') }] })
  await ask({ serviceAccountName: 'puller', roles: [{ arn: arn('second') }] })
  const token = asked().at(-1)?.get('WebIdentityToken')
  const keys = [longTermKeys, keysOf('first'), keysOf('second')].flatMap((each) => Object.values(each))
  expect([...lab.concealed]).toEqual(expect.arrayContaining([...keys, token]))
})

test('an answer without keys is not taken for a role', async () => {
  aws.answer = () => ({ body: '<AssumeRoleResponse><AssumeRoleResult></AssumeRoleResult></AssumeRoleResponse>' })
  await expect(ask({ secretRef: { name: 'keys' }, roles: [{ arn: arn('first') }] })).rejects.toMatchObject({
    reason: 'IssuerInvalid',
    message: 'AWS STS in eu-central-1, asked for roles[0], answered, but its answer has no keys.',
  })
})
