/**
 * A Vault on loopback, since the real one takes ten minutes to build and OpenBao cannot be built from Go modules. It keeps
 * what makes a difference to a client: tokens that end, leases that end with their token, versions that can be deleted,
 * policies by path, namespaces and the seal. Statuses are those that Vault 1.21 gave where it was tried (an unknown path, a
 * bad token, a wrong audience, revoking), else those of its documentation. A login by the Kubernetes method is checked as
 * Vault does it: by a TokenReview with the audience of the role.
 */
import { randomBytes } from 'node:crypto'
import type { KubeClient } from '../../src/kube/client.ts'
import { manager } from '../kube/setup.ts'
import type { Handler, IssuerAnswer, IssuerRequest } from './issuer-server.ts'

interface Token {
  /** Paths that it may use, whatever the verb. */
  paths: readonly string[]
  /** Seconds; 0: for ever. */
  ttl: number
}

interface Role extends Token {
  /** Its name, in any namespace. */
  serviceAccount: string
  audience: string
}

interface Version {
  data: Readonly<Record<string, unknown>>
  deleted: boolean
}

/** What is kept at a path below /v1/: of a KV engine, or what makes a login at every read. */
type Kept = { v1: Readonly<Record<string, unknown>> } | { v2: Version[] } | { login: () => Login }

interface Login {
  data: Readonly<Record<string, unknown>>
  seconds: number
}

interface TokenReview {
  status: { authenticated?: boolean; user?: { username: string } }
}

const granted = ['auth/token/lookup-self', 'auth/token/revoke-self']

export class LoopbackVault {
  sealed = false
  /** Namespace that all of it is in; others have nothing. */
  namespace = ''
  /** Path of the auth method → its roles. */
  readonly roles = new Map<string, Role>()
  readonly kept = new Map<string, Kept>()
  /** Live tokens. */
  readonly tokens = new Map<string, Token>()
  /** Live leases → the token they hang on. */
  readonly leases = new Map<string, string>()
  readonly #client: KubeClient

  /** @param client for TokenReviews */
  constructor(client: KubeClient) {
    this.#client = client
  }

  token({ paths, ttl = 0 }: Partial<Token> & Pick<Token, 'paths'>): string {
    const token = `hvs.${randomBytes(24).toString('base64url')}`
    this.tokens.set(token, { paths: [...granted, ...paths], ttl })
    return token
  }

  /** As when its time has come, or it is revoked: its leases go with it. */
  endToken(token: string): void {
    this.tokens.delete(token)
    for (const [lease, of] of this.leases) if (of === token) this.leases.delete(lease)
  }

  /** A new version of a KVv2 secret. */
  put(path: string, data: Readonly<Record<string, unknown>>): Version {
    const kept = this.kept.get(path)
    const version = { data, deleted: false }
    this.kept.set(path, { v2: [...(kept && 'v2' in kept ? kept.v2 : []), version] })
    return version
  }

  readonly answer: Handler = async (request) => {
    if (this.sealed) return errors(503, 'Vault is sealed')
    if ((request.headers['x-vault-namespace'] ?? '') !== this.namespace) return errors(403, 'permission denied')
    const path = request.path.replace(/^\/v1\//, '')
    if (request.method === 'POST' && path.startsWith('auth/') && path.endsWith('/login')) {
      return await this.#logIn(path.slice('auth/'.length, -'/login'.length), JSON.parse(request.body))
    }
    const token = String(request.headers['x-vault-token'] ?? '')
    const rights = this.tokens.get(token)
    if (rights === undefined) return errors(403, '2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n')
    if (!rights.paths.includes(path)) return errors(403, '1 error occurred:\n\t* permission denied\n\n')
    return this.#serve(path, request, token, rights)
  }

  #serve(path: string, { method, body }: IssuerRequest, token: string, { ttl }: Token): IssuerAnswer {
    switch (`${method} ${path}`) {
      case 'GET auth/token/lookup-self':
        return { body: { data: { ttl } } }
      case 'POST auth/token/revoke-self':
        this.endToken(token)
        return { status: 204 }
      case 'PUT sys/leases/revoke':
        this.leases.delete(JSON.parse(body).lease_id)
        return { status: 204 }
      default:
        return method === 'GET' ? this.#read(path, token) : errors(405)
    }
  }

  #read(path: string, token: string): IssuerAnswer {
    const kept = this.kept.get(path)
    if (kept === undefined) return errors(404)
    if ('v1' in kept) return { body: { lease_id: '', lease_duration: 2_764_800, data: kept.v1 } }
    if ('login' in kept) {
      const { data, seconds } = kept.login()
      const lease = `${path}/${randomBytes(12).toString('hex')}`
      this.leases.set(lease, token)
      return { body: { lease_id: lease, lease_duration: seconds, renewable: true, data } }
    }
    const newest = kept.v2.at(-1)
    const metadata = {
      version: kept.v2.length,
      destroyed: false,
      deletion_time: newest?.deleted ? '2026-01-01T00:00:00Z' : '',
    }
    if (!newest || newest.deleted) return { status: 404, body: { lease_id: '', data: { data: null, metadata } } }
    return { body: { lease_id: '', lease_duration: 0, data: { data: newest.data, metadata } } }
  }

  async #logIn(mount: string, { role: name, jwt }: { role: string; jwt: string }): Promise<IssuerAnswer> {
    const role = this.roles.get(`${mount}/${name}`)
    if (role === undefined) return errors(400, `invalid role name "${name}"`)
    const review = await this.#client.create<TokenReview>(
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { spec: { token: jwt, audiences: [role.audience] } },
      manager,
    )
    const { authenticated, user } = review.status
    if (!authenticated) return errors(403, 'permission denied')
    if (!user?.username.endsWith(`:${role.serviceAccount}`)) return errors(403, 'service account name not authorized')
    return { body: { auth: { client_token: this.token(role), lease_duration: role.ttl, renewable: true } } }
  }
}

function errors(status: number, ...said: string[]): IssuerAnswer {
  return { status, body: { errors: said } }
}
