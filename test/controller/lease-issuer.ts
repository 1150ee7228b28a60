/** An issuer whose logins live as long as a test wants: the dynamic secrets engine of a Vault on loopback. */
import { randomUUID } from 'node:crypto'
import type { RegistryCredentialSource } from '../../src/api/registry-credential.ts'
import { type IssuerAnswer, type IssuerRequest, type IssuerServer, startIssuer } from '../sources/issuer-server.ts'
import { type Lab, type Login, operatorNamespace } from './lab.ts'

export interface Lease {
  login: Login
  /** Of performance.now(). */
  at: number
  revoked: boolean
}

export class LeaseIssuer {
  /** Of the logins given from now on. */
  seconds = 3600
  /** All that were given, by lease id, in their order. */
  readonly leases = new Map<string, Lease>()
  readonly server: IssuerServer
  readonly #secret: string

  /** @param name of the credential that asks it; unique in the test file */
  static async start(lab: Lab, name: string): Promise<LeaseIssuer> {
    const secret = lab.unique(`${name}-token`)
    await lab.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, {
      metadata: { name: secret },
      stringData: { token: `hvs.${randomUUID()}` },
    })
    const answer = (request: IssuerRequest) => issuer.#answer(request)
    const issuer: LeaseIssuer = new LeaseIssuer(await startIssuer(answer), secret)
    return issuer
  }

  private constructor(server: IssuerServer, secret: string) {
    this.server = server
    this.#secret = secret
  }

  get source(): RegistryCredentialSource {
    const keys = { username: 'username', password: 'password' }
    const { url } = this.server
    return {
      vault: { url, mount: 'registry', path: 'creds/pull', engine: 'Dynamic', keys, secretRef: { name: this.#secret } },
    }
  }

  /** Of the Secret of the operator's namespace that holds its token. */
  get secretPath(): string {
    return `/api/v1/namespaces/${operatorNamespace}/secrets/${this.#secret}`
  }

  /** What was given last. */
  get latest(): Login | undefined {
    return [...this.leases.values()].at(-1)?.login
  }

  get live(): number {
    return [...this.leases.values()].filter(({ revoked }) => !revoked).length
  }

  /** How often a login was asked for, also in vain. */
  get asked(): number {
    return this.server.requests.filter(({ path }) => path === '/v1/registry/creds/pull').length
  }

  /** From now on, or until `heal`, it cannot answer. */
  fail(status: number, headers: Record<string, string> = {}): void {
    this.server.misbehaviour = (response) => response.writeHead(status, headers).end('{}')
  }

  heal(): void {
    this.server.misbehaviour = undefined
  }

  #answer({ path, body }: IssuerRequest): IssuerAnswer {
    if (path === '/v1/auth/token/lookup-self') return { body: { data: { ttl: 0 } } }
    if (path === '/v1/sys/leases/revoke') {
      const lease = this.leases.get(JSON.parse(body).lease_id)
      if (lease) lease.revoked = true
      return { status: 204 }
    }
    const id = `registry/creds/pull/${randomUUID()}`
    const login = { username: 'robot', password: `issued-${randomUUID()}` }
    this.leases.set(id, { login, at: performance.now(), revoked: false })
    return { body: { lease_id: id, lease_duration: this.seconds, renewable: false, data: login } }
  }
}
