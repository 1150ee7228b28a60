/** ECR Public: one login for one host. */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { ecrPublic } from '../../src/sources/ecr-public.ts'
import { awsIssuer, keysOf, longTermKeys, passwordOf } from './aws-issuer.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const wish = { secret: 'wished', expiresAt: new Date('2099-01-01T12:00:00Z') }
const roles = [{ arn: 'arn:aws:iam::123456789012:role/pull' }]
const environment = { ...process.env }
const { signal } = new AbortController()

let lab: SourceLab
let aws: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
  await lab.serviceAccount('puller')
})
beforeEach(async () => {
  aws = await lab.issuer(awsIssuer(() => wish))
  process.env.AWS_ENDPOINT_URL = aws.url
})
afterEach(() => {
  process.env = { ...environment }
})

test.each([
  ['keys of a Secret', { secretRef: { name: 'keys' } }, longTermKeys],
  ['a role that trusts them', { secretRef: { name: 'keys' }, roles }, keysOf('pull')],
  ['a role that trusts a ServiceAccount', { serviceAccountName: 'puller', roles }, keysOf('pull')],
])('%s give a login for public.ecr.aws, until it ends', async (_, spec, { accessKeyId }) => {
  const password = passwordOf(wish, accessKeyId, 'us-east-1')
  expect(await ecrPublic.issue(spec, lab.context(), signal)).toEqual({
    given: { entries: new Map([['public.ecr.aws', { username: 'AWS', password }]]) },
    expiresAt: wish.expiresAt,
  })
})

test('an answer without a token cannot be used', async () => {
  aws.answer = () => ({ body: { authorizationData: {} } })
  await expect(ecrPublic.issue({ secretRef: { name: 'keys' } }, lab.context(), signal)).rejects.toMatchObject({
    reason: 'IssuerInvalid',
    message: expect.stringMatching(/^Amazon ECR Public in us-east-1 answered, .* no authorizationToken/),
  })
})
