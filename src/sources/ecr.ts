/** `source.ecr`: Amazon Elastic Container Registry. One token a region, good for what its identity may pull there. */
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import type { Entry } from '../model/docker-config.ts'
import { identityOf } from './aws.ts'
import { type AwsCall, callAws } from './aws-call.ts'
import { issuerOf } from './aws-problem.ts'
import { loginOf } from './ecr-token.ts'
import { unusable } from './issuer.ts'
import type { Source } from './source.ts'

export const ecr: Source<'ecr'> = {
  async issue({ regions, registryIds, ...by }, context, signal) {
    const [first = ''] = regions
    const identity = await identityOf(by, first, context, signal)
    const field = 'regions'
    const calls = regions.map((region) => ({ service: 'ECR' as const, region, field, identity, context, signal }))
    const logins = (await Promise.all(calls.map((call) => loginsIn(call, registryIds)))).flat()
    const entries = new Map(logins.map(({ host, login }) => [host, login]))
    // One end for all: the entries are refreshed together, and so before the first of them ends.
    const expiresAt = new Date(Math.min(...logins.map((login) => login.expiresAt.getTime())))
    return { given: { entries }, expiresAt }
  },
}

interface HostLogin {
  host: string
  login: Entry
  expiresAt: Date
}

async function loginsIn(call: AwsCall, registryIds: string[] | undefined): Promise<HostLogin[]> {
  const { authorizationData = [] } = await callAws(
    call,
    (config) => new ECRClient(config),
    (client) => client.send(new GetAuthorizationTokenCommand(registryIds?.length ? { registryIds } : {})),
  )
  const issuer = issuerOf(call)
  if (authorizationData.length === 0) throw unusable(issuer, 'has no authorizationData')
  return authorizationData.map((token) => {
    // China and the other partitions have domains of their own, which only this tells.
    const host = URL.parse(token.proxyEndpoint ?? '')?.host
    if (!host) throw unusable(issuer, 'has no proxyEndpoint')
    return { host, ...loginOf(token, issuer, call.context) }
  })
}
