/** `source.ecrPublic`: Amazon ECR Public. Anybody may pull from it; with a login it allows more pulls. */
import { ECRPUBLICClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr-public'
import { identityOf } from './aws.ts'
import { type AwsCall, callAws } from './aws-call.ts'
import { issuerOf } from './aws-problem.ts'
import { loginOf } from './ecr-token.ts'
import type { Source } from './source.ts'

const host = 'public.ecr.aws'
/** Its API gives tokens nowhere else. */
const region = 'us-east-1'

export const ecrPublic: Source<'ecrPublic'> = {
  async issue(spec, context, signal) {
    const identity = await identityOf(spec, region, context, signal)
    const call: AwsCall = { service: 'ECR_PUBLIC', region, field: 'ecrPublic', identity, context, signal }
    const { authorizationData = {} } = await callAws(
      call,
      (config) => new ECRPUBLICClient(config),
      (client) => client.send(new GetAuthorizationTokenCommand({})),
    )
    const { login, expiresAt } = loginOf(authorizationData, issuerOf(call), context)
    return { given: { entries: new Map([[host, login]]) }, expiresAt }
  },
}
