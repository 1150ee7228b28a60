/**
 * `source.github`, experimental: the token of a GitHub App's installation, for an hour.
 * The endpoint: GitHub REST API, “Create an installation access token for an app”.
 */
import { createAppAuth } from '@octokit/auth-app'
import { endpointOf } from './endpoint.ts'
import { readKeys } from './identity.ts'
import { askIssuer, textOf, unusable } from './issuer.ts'
import type { Source } from './source.ts'
import { SourceProblem } from './source-problem.ts'

export const github: Source<'github'> = {
  async issue({ appId, installationId, secretRef, url, registry }, context, signal) {
    const { privateKey } = await readKeys(context, secretRef.name, ['privateKey'])
    const proof = await proofOf(appId, privateKey, secretRef.name)
    context.conceal(proof)
    const endpoint = endpointOf(url, `app/installations/${installationId}/access_tokens`)
    const headers = {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${proof}`,
      'content-type': 'application/json',
      'user-agent': 'regcred-operator', // GitHub answers none without it
    }
    const body = JSON.stringify({ permissions: { packages: 'read' } })
    const check = `source.github.appId and installationId, privateKey in Secret ${secretRef.name}, and that the App has the permission Packages: read`
    const answer = await askIssuer(context.fetch, endpoint, { method: 'POST', headers, body, signal }, check)
    const password = textOf(answer, 'token', endpoint.host)
    context.conceal(password)
    const expiresAt = new Date(textOf(answer, 'expires_at', endpoint.host))
    if (Number.isNaN(expiresAt.getTime())) throw unusable(endpoint.host, 'has an expires_at that is no time')
    return { given: { entries: new Map([[registry, { username: 'x-access-token', password }]]) }, expiresAt }
  },
}

/**
 * The App's own token, for ten minutes. No more is done by the library: what it has under way for an installation it
 * shares among all Apps and servers of the process.
 */
async function proofOf(appId: string, privateKey: string, secret: string): Promise<string> {
  try {
    return (await createAppAuth({ appId, privateKey })({ type: 'app' })).token
  } catch {
    throw new SourceProblem(
      'SourceInvalid',
      `Secret ${secret} has no RSA private key (PEM) under privateKey; put the file there that GitHub gave for the App.`,
    )
  }
}
