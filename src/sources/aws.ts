/** Who asks AWS: keys from a Secret, or a ServiceAccount's token for a role; then the roles to assume, one from the other. */
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { type AwsCall, type AwsIdentity, callAws } from './aws-call.ts'
import { issuerOf } from './aws-problem.ts'
import { readKeys } from './identity.ts'
import { unusable } from './issuer.ts'
import type { SourceContext, SpecOf } from './source.ts'

/** What AWS wants to find in the `aud` of a token. */
const audience = 'sts.amazonaws.com'

type Role = NonNullable<SpecOf<'ecrPublic'>['roles']>[number]

/**
 * The identity of the last role, or of the keys where there is none.
 * @param region whose STS is asked
 * @throws as a source does
 */
export async function identityOf(
  { secretRef, serviceAccountName = '', roles = [] }: SpecOf<'ecrPublic'>,
  region: string,
  context: SourceContext,
  signal: AbortSignal,
): Promise<AwsIdentity> {
  let identity = secretRef ? await byKeys(secretRef.name, context) : await byToken(serviceAccountName, context)
  for (const [index, role] of roles.entries()) {
    identity = await assume(role, { service: 'STS', region, field: `roles[${index}]`, identity, context, signal })
  }
  return identity
}

async function byKeys(secret: string, context: SourceContext): Promise<AwsIdentity> {
  const keys = await readKeys(context, secret, ['accessKeyId', 'secretAccessKey'], ['sessionToken'])
  return { name: `Secret ${secret}`, keys }
}

async function byToken(serviceAccount: string, context: SourceContext): Promise<AwsIdentity> {
  const { token } = await context.requestToken(serviceAccount, audience)
  return { name: `ServiceAccount ${serviceAccount}`, token }
}

async function assume({ arn, externalId }: Role, call: AwsCall): Promise<AwsIdentity> {
  const { identity, context, field } = call
  const names = { RoleArn: arn, RoleSessionName: sessionName(context.credential.name) }
  const { Credentials } = await callAws(
    call,
    (config) => new STSClient(config),
    (client) =>
      'token' in identity
        ? client.send(new AssumeRoleWithWebIdentityCommand({ ...names, WebIdentityToken: identity.token }))
        : client.send(new AssumeRoleCommand({ ...names, ...(externalId && { ExternalId: externalId }) })),
  )
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {}
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw unusable(issuerOf(call), 'has no keys')
  context.conceal(AccessKeyId, SecretAccessKey, SessionToken)
  return {
    name: field,
    keys: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
  }
}

/** What CloudTrail shows; AWS takes 64 characters, among them all that the name of a credential can have. */
function sessionName(credential: string): string {
  return `regcred-${credential}`.slice(0, 64)
}
