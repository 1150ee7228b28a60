/** `source.gar`: Google Artifact Registry and Container Registry, which take an access token of Google as password. */
import { canonicalKey, KeyProblem, printableKey } from '../model/registry-key.ts'
import { type AccessToken, federatedToken, metadataToken, serviceAccountToken } from './google.ts'
import { serviceAccountKeyOf } from './google-key.ts'
import { readKeys } from './identity.ts'
import type { Source, SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/** The user of all access tokens. */
const username = 'oauth2accesstoken'

export const gar: Source<'gar'> = {
  async issue(spec, context, signal) {
    checkRegistries(context.registries ?? [])
    const { token, expiresAt } = await accessToken(spec, context, signal)
    context.conceal(token)
    return { given: { login: { username, password: token } }, expiresAt }
  },
}

async function accessToken(spec: SpecOf<'gar'>, context: SourceContext, signal: AbortSignal): Promise<AccessToken> {
  const { secretRef, workloadIdentity, metadataServer } = spec
  if (secretRef) {
    const { 'key.json': text } = await readKeys(context, secretRef.name, ['key.json'])
    const key = serviceAccountKeyOf(text, secretRef.name)
    context.conceal(key.privateKey)
    return await serviceAccountToken(key, context, signal)
  }
  if (workloadIdentity) return await federatedToken(workloadIdentity, context, signal)
  return await metadataToken(metadataServer?.account ?? 'default', context, signal)
}

/** The token opens more than registries, so it must not stand under the key of anybody else's. */
function checkRegistries(registries: readonly string[]): void {
  for (const [index, registry] of registries.entries()) {
    if (isOfGoogle(registry)) continue
    throw new SourceProblem(
      'SourceInvalid',
      `spec.registries[${index}], ${printableKey(registry) ?? 'whose name is not shown'}, is no registry of Google (pkg.dev, gcr.io and hosts below them), and no other may get its access token; remove it.`,
    )
  }
}

/** A wildcard may stand only in front of the two domains. */
function isOfGoogle(registry: string): boolean {
  try {
    return /^([^/:]+\.)?(pkg\.dev|gcr\.io)(:\d+)?(\/|$)/.test(canonicalKey(registry))
  } catch (problem) {
    if (problem instanceof KeyProblem) return false
    throw problem
  }
}
