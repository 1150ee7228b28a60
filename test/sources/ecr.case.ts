/** ECR at the longest way to it: a ServiceAccount's token for a role, that role for another, and its keys for a token. */
import { awsIssuer, hostIn, keysOf, passwordOf } from './aws-issuer.ts'
import type { SourceCase } from './contract.ts'

const region = 'eu-central-1'
const registryIds = ['123456789012', '210987654321']

export const ecrCase: SourceCase<'ecr'> = {
  kind: 'ecr',
  issuer: awsIssuer,
  spec: () => ({
    regions: [region],
    registryIds,
    serviceAccountName: 'ecr-puller',
    roles: [{ arn: 'arn:aws:iam::123456789012:role/cluster' }, { arn: 'arn:aws:iam::210987654321:role/pull' }],
  }),
  secrets: {},
  serviceAccounts: ['ecr-puller'],
  env: (url) => ({ AWS_ENDPOINT_URL: url }),
  expected: (wish) => {
    const login = { username: 'AWS', password: passwordOf(wish, keysOf('pull').accessKeyId, region) }
    return new Map(registryIds.map((id) => [hostIn(region, id), login]))
  },
  tellsExpiry: true,
}
