/** What both kinds of ECR call an authorization token: a login in base64, and when it ends. */
import type { Entry } from '../model/docker-config.ts'
import { unusable } from './issuer.ts'
import type { SourceContext } from './source.ts'

export interface EcrToken {
  authorizationToken?: string | undefined
  expiresAt?: Date | undefined
}

/**
 * @param issuer for messages
 * @throws SourceProblem
 */
export function loginOf(
  { authorizationToken = '', expiresAt }: EcrToken,
  issuer: string,
  context: SourceContext,
): { login: Entry; expiresAt: Date } {
  context.conceal(authorizationToken)
  const text = Buffer.from(authorizationToken, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 1) throw unusable(issuer, 'has no authorizationToken of a username and a password')
  const login = { username: text.slice(0, colon), password: text.slice(colon + 1) }
  context.conceal(login.password)
  if (expiresAt === undefined || Number.isNaN(expiresAt.getTime())) throw unusable(issuer, 'has no expiresAt')
  return { login, expiresAt }
}
