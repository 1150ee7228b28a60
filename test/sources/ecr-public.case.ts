/** ECR Public by keys from a Secret. */
import { awsIssuer, longTermKeys, passwordOf } from './aws-issuer.ts'
import type { SourceCase } from './contract.ts'

export const ecrPublicCase: SourceCase<'ecrPublic'> = {
  kind: 'ecrPublic',
  issuer: awsIssuer,
  spec: () => ({ secretRef: { name: 'ecr-public' } }),
  secrets: { 'ecr-public': longTermKeys },
  env: (url) => ({ AWS_ENDPOINT_URL: url }),
  expected: (wish) => {
    const password = passwordOf(wish, longTermKeys.accessKeyId, 'us-east-1')
    return new Map([['public.ecr.aws', { username: 'AWS', password }]])
  },
  tellsExpiry: true,
}
