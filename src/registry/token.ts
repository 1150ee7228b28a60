/** Tokens of a registry's token server (distribution's `spec/auth/token.md` and `oauth.md`). */
import { ask, basic, headersWith, type Login, type Way } from './registry-client.ts'

export interface TokenServer {
  realm: URL
  service: string | undefined
}

/** The token; 'refused' when the server does not take the login; else the answer that has neither. */
export type TokenAnswer = { token: string } | 'refused' | Response

/** ACR's user of refresh tokens: the password is one. */
const refreshTokenUser = '00000000-0000-0000-0000-000000000000'

/** OAuth's and the registries' words for a wrong login in an answer 400. */
const refusals = ['invalid_grant', 'unauthorized']

/**
 * GET, which all token servers know, and for ACR's refresh tokens POST where that does not do.
 * @param login undefined asks as anybody
 * @param scope such as `repository:acme/app:pull`; without it only the login is checked
 */
export async function requestToken(
  server: TokenServer,
  login: Login | undefined,
  scope: string | undefined,
  way: Way,
): Promise<TokenAnswer> {
  const url = new URL(server.realm)
  if (server.service !== undefined) url.searchParams.set('service', server.service)
  if (scope !== undefined) url.searchParams.set('scope', scope)
  const headers = headersWith(login && basic(login))
  const answer = await ask(url, { headers }, login ? 'login' : 'nothing', way)
  if (login?.username !== refreshTokenUser || ![400, 401].includes(answer.status)) return await read(answer)
  return await read(await refresh(server, login.password, scope, way))
}

function refresh(
  { realm, service }: TokenServer,
  refreshToken: string,
  scope: string | undefined,
  way: Way,
): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    ...(service !== undefined && { service }),
    ...(scope !== undefined && { scope }),
    refresh_token: refreshToken,
  })
  return ask(realm, { method: 'POST', body }, 'login', way)
}

async function read(answer: Response): Promise<TokenAnswer> {
  if (answer.status === 401 || answer.status === 403) return 'refused'
  const body: Partial<Record<'token' | 'access_token' | 'error', unknown>> = Object(
    await answer.json().catch(() => undefined),
  )
  if (answer.status === 400 && refusals.includes(String(body.error).toLowerCase())) return 'refused'
  if (answer.status !== 200) return answer
  const token = body.token || body.access_token
  // It goes into a header: what does not fit there is no token.
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? { token } : answer
}
