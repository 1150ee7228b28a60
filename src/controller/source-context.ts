/**
 * What sources see of the cluster: Secrets and ServiceAccounts of the operator's own namespace, and nothing else. The
 * tokens are asked for with the rights of the operator, which an installation gives by the names of the ServiceAccounts.
 */
import { fieldManager, operatorName } from '../api/names.ts'
import type { ObjectMeta } from '../api/object-meta.ts'
import { isForbidden, isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Credential } from '../model/credential.ts'
import type { Handle } from '../model/login.ts'
import type { SourceSecret } from '../model/source-secret.ts'
import type { IdentityToken, SourceContext } from '../sources/source.ts'
import { SourceProblem } from '../sources/source-problem.ts'
import { secretPath } from './secret-writer.ts'
import { serviceAccountPath } from './service-account-writer.ts'

export type SourceSurroundings = Pick<SourceContext, 'settings' | 'fetch' | 'metadataFetch' | 'conceal'>

/** Seconds that a token lives: the least that the API server gives; it is used at once. */
const tokenSeconds = 600

/** Of Secrets with a token for the API server. */
const tokenType = 'kubernetes.io/service-account-token'

/** @param namespace the operator's own */
export function sourceContexts(client: KubeClient, namespace: string, surroundings: SourceSurroundings) {
  const { conceal } = surroundings
  return ({ name, uid, registries }: Credential, handle: Handle | undefined): SourceContext => ({
    ...surroundings,
    credential: { name, uid },
    registries,
    handle,
    readSecret: (secret) => readSecret(client, namespace, secret),
    async requestToken(serviceAccount, audience) {
      const identity = await requestToken(client, namespace, serviceAccount, audience)
      conceal(identity.token)
      return identity
    },
  })
}

/** Nothing that opens the cluster, or other credentials, may be sent to an issuer, which the credential chooses. */
async function readSecret(client: KubeClient, namespace: string, name: string) {
  if (name.startsWith(`${operatorName}-`)) {
    throw new SourceProblem(
      'SourceInvalid',
      `Secret ${name} has a name of the operator's own Secrets, which are no source; name another.`,
    )
  }
  let secret: KubeObject & Partial<SourceSecret>
  try {
    secret = await client.get(secretPath(namespace, name))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
  const { type = 'Opaque', data = {} } = secret
  if (type === tokenType) {
    throw new SourceProblem(
      'SourceInvalid',
      `Secret ${name} holds a ServiceAccount's token for the API server, which is no source; name another.`,
    )
  }
  const changedAt = lastChange(secret.metadata)
  return { type, data, ...(changedAt && { changedAt }) }
}

async function requestToken(
  client: KubeClient,
  namespace: string,
  serviceAccount: string,
  audience: string,
): Promise<IdentityToken> {
  if (serviceAccount === operatorName) {
    throw new SourceProblem(
      'SourceInvalid',
      `ServiceAccount ${serviceAccount} is the operator's own, whose token no issuer may have; name one without rights in the cluster.`,
    )
  }
  const path = serviceAccountPath(namespace, serviceAccount)
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [audience], expirationSeconds: tokenSeconds },
  }
  try {
    const { metadata } = await client.get<KubeObject>(path)
    const { status } = await client.create<{ status: { token: string } }>(`${path}/token`, request, { fieldManager })
    return { token: status.token, annotations: metadata.annotations ?? {} }
  } catch (error) {
    if (isNotFound(error)) {
      throw new SourceProblem(
        'SourceNotFound',
        `ServiceAccount ${serviceAccount} does not exist in the operator's namespace; create it there.`,
        1, // applied in one go with the credential, it is there a moment later; the back-off does the rest
      )
    }
    if (isForbidden(error)) {
      throw new SourceProblem(
        'IssuerRefused',
        `The operator may not ask for tokens of ServiceAccount ${serviceAccount}; have it added to the installation (config/identities; Helm: identities).`,
        30,
      )
    }
    throw error
  }
}

/** The last write that anybody made, else the creation. RFC 3339 times in UTC sort as text. */
function lastChange({ managedFields, creationTimestamp }: ObjectMeta): Date | undefined {
  const last = [creationTimestamp, ...(managedFields ?? []).map(({ time }) => time)]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1)
  return last === undefined ? undefined : new Date(last)
}
