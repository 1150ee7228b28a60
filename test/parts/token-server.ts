/**
 * A token server of a registry (distribution's `spec/auth/token.md` and
 * `oauth.md`), which states who may do what where. GET with Basic authentication
 * or none, POST with a password or a refresh token.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Certificate } from '../cluster/certificates.ts'
import type { TokenTrust } from './registry.ts'
import { createTokenIssuer, LIFETIME_SECONDS, type Statement } from './token-issuer.ts'

export interface TokenUser {
  password: string
  /** Repository → actions, for instance `{ 'team/app': ['pull', 'push'] }`. */
  grants: Record<string, string[]>
}

export interface TokenServerOptions {
  /** By their names. */
  users: Record<string, TokenUser>
  /** Repositories that anybody may pull from. */
  publicRepositories?: string[]
  /** Without, it speaks plain HTTP. */
  tls?: Certificate
}

export interface TokenRequest {
  method: string
  /** As given; undefined for anonymous requests and for refresh tokens of nobody. */
  user: string | undefined
  /** For instance `repository:team/app:pull`. */
  scopes: string[]
  /** 200, or 401 when that is no login. */
  status: number
}

export interface TokenServer {
  /** For the registry: `startRegistry({ auth: { token: server.trust } })`. */
  trust: TokenTrust
  /** All requests so far. */
  requests: TokenRequest[]
  /** From now on; refresh tokens that were got by another password are void. */
  setPassword(user: string, password: string): void
  stop(): Promise<void>
}

interface Login {
  user: string
  password: string
}

const SERVICE = 'test-registry'

/** Of an Authorization header (RFC 7617); undefined when it is no Basic one. */
function basicLogin(header: string): Login | undefined {
  const [, encoded = ''] = /^basic (\S+)$/i.exec(header) ?? []
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return user === undefined || password === undefined ? undefined : { user, password }
}

/** What of the scopes is granted; a repository of which nothing is, is left out. */
function accessTo(scopes: string[], granted: (repository: string) => string[]): Statement['access'] {
  return scopes.flatMap((scope) => {
    const [, name = '', asked = ''] = /^repository:(.+):(.+)$/.exec(scope) ?? []
    const actions = asked.split(',').filter((action) => granted(name).includes(action))
    return actions.length === 0 ? [] : [{ type: 'repository', name, actions }]
  })
}

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { publicRepositories = [], tls } = options
  const users = new Map(Object.entries(options.users))
  const refreshTokens = new Map<string, Login>()
  const requests: TokenRequest[] = []
  const issuer = createTokenIssuer('test-issuer')

  function refreshTokenFor(login: Login): string {
    const token = randomUUID()
    refreshTokens.set(token, login)
    return token
  }

  function loginOf(parameters: URLSearchParams, posted: boolean, authorization: string | undefined): Login | undefined {
    const get = (name: string): string => parameters.get(name) ?? ''
    if (!posted) return authorization === undefined ? undefined : basicLogin(authorization)
    if (get('grant_type') === 'refresh_token') return refreshTokens.get(get('refresh_token'))
    return get('grant_type') === 'password' ? { user: get('username'), password: get('password') } : undefined
  }

  async function respond(request: IncomingMessage): Promise<[status: number, body: object]> {
    const { method = '', url = '', headers } = request
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    if (pathname !== '/token') return [404, {}]

    const posted = method === 'POST'
    const parameters = posted ? new URLSearchParams(await text(request)) : searchParams
    // A GET repeats them, a POST separates them by spaces.
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '))
    const login = loginOf(parameters, posted, headers.authorization)
    const anonymous = !posted && headers.authorization === undefined
    const user = login && users.get(login.user)
    const known = anonymous || (user !== undefined && user.password === login?.password)
    requests.push({ method, user: login?.user, scopes, status: known ? 200 : 401 })
    if (!known) return [401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }]

    const access = accessTo(scopes, (repository) => [
      ...(user?.grants[repository] ?? []),
      ...(publicRepositories.includes(repository) ? ['pull'] : []),
    ])
    const token = issuer.issue({ sub: login?.user ?? '', aud: parameters.get('service') ?? '', access })
    const offline = parameters.get('offline_token') === 'true' || parameters.get('access_type') === 'offline'
    const granted = access.map(({ name, actions }) => `repository:${name}:${actions}`).join(' ')
    return [
      200,
      {
        access_token: token,
        ...(posted ? { scope: granted } : { token }),
        expires_in: LIFETIME_SECONDS,
        issued_at: new Date().toISOString(),
        ...(login && offline && { refresh_token: refreshTokenFor(login) }),
      },
    ]
  }

  const listener: RequestListener = (request, response) => {
    respond(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.destroy(), // the client has gone away
    )
  }
  const server =
    tls === undefined ? createServer(listener) : createSecureServer({ cert: tls.certificate, key: tls.key }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    trust: { realm: `${origin}/token`, service: SERVICE, issuer: issuer.name, jwks: issuer.jwks },
    requests,
    setPassword(name, password) {
      const user = users.get(name)
      if (user === undefined) throw new Error(`the token server has no user ${name}`)
      users.set(name, { ...user, password })
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
