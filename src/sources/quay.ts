/**
 * `source.quay`: a token of a robot account, which Quay gives for the token of a ServiceAccount that the robot trusts.
 * The endpoint: quay/quay `endpoints/oauth/robot_identity_federation.py`.
 */
import { encodeBase64 } from '../model/docker-config.ts'
import { endpointOf } from './endpoint.ts'
import { askIssuer, textOf, unusable } from './issuer.ts'
import { expiryOf } from './jwt.ts'
import type { Source } from './source.ts'

export const quay: Source<'quay'> = {
  async issue({ url, robot, serviceAccountName, audience = url }, context, signal) {
    const identity = await context.requestToken(serviceAccountName, audience)
    const endpoint = endpointOf(url, 'oauth2/federation/robot/token')
    const headers = { authorization: `Basic ${encodeBase64(`${robot}:${identity.token}`)}` }
    const check = `that robot ${robot} trusts ServiceAccount ${serviceAccountName}`
    const answer = await askIssuer(context.fetch, endpoint, { headers, signal }, check)
    const password = textOf(answer, 'token', endpoint.host)
    context.conceal(password)
    const expiresAt = expiryOf(password)
    if (expiresAt === undefined) throw unusable(endpoint.host, 'has a token that does not say when it ends')
    return { given: { entries: new Map([[endpoint.host, { username: robot, password }]]) }, expiresAt }
  },
}
