/**
 * Who we are to the API server right now: authentication headers and connection pools, kept up to date.
 *
 * KubeConfig reads files and may run a plugin, so it is asked only every `reloadSeconds`, and after a 401 or a TLS error;
 * in between a request costs no authentication work. When CA or client certificate have changed, new pools take over
 * and the old ones close as soon as their requests and watches have ended.
 */
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { proxyFor } from '../http/proxy.ts'
import { ConnectionError } from './api-error.ts'
import { type ConnectionPools, openPools, sameTls, type TlsMaterial } from './connection-pools.ts'

export interface Session {
  /** Scheme, host and port. */
  readonly origin: string
  /** The path of the server's URL (Rancher has one), without a slash at the end. */
  readonly prefix: string
  readonly headers: Readonly<Record<string, string>>
  readonly pools: ConnectionPools
}

export interface SessionOptions {
  kubeConfig: KubeConfig
  connections: number
  reloadSeconds: number
}

/** A storm of 401 answers leads to one reading of the credentials a second. */
const minRenewMs = 1_000

export class Sessions {
  readonly #options: SessionOptions
  readonly #server: URL
  #kubeConfig: KubeConfig
  #session: Session | undefined
  #tls: TlsMaterial = {}
  #loading: Promise<Session> | undefined
  #checkAt = 0
  #renewedAt = Number.NEGATIVE_INFINITY
  #closing: Promise<unknown> | undefined
  /** Replaced, with requests or watches still under way; each with the promise of its end. */
  readonly #draining = new Map<ConnectionPools, Promise<unknown>>()

  constructor(options: SessionOptions) {
    const cluster = options.kubeConfig.getCurrentCluster()
    if (cluster === null) throw new Error('the kubeconfig has no current context, or its cluster is missing')
    this.#options = options
    this.#kubeConfig = options.kubeConfig
    this.#server = new URL(cluster.server)
    if (this.#server.protocol === 'http:' && !cluster.skipTLSVerify) {
      throw new Error('the kubeconfig names an http:// server: it needs insecure-skip-tls-verify: true')
    }
  }

  get #origin(): string {
    return this.#server.origin
  }

  /** The session to use; undefined when `load` has to be awaited first. */
  current(): Session | undefined {
    return performance.now() < this.#checkAt ? this.#session : undefined
  }

  /** @throws ConnectionError('CREDENTIALS') when there never were any */
  load(): Promise<Session> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** After a 401 or a TLS error with the session `failed`: everything is read again, past every cache. */
  async renew(failed: Session): Promise<Session> {
    if (this.#session !== undefined && this.#session !== failed) return this.#session
    const now = performance.now()
    if (now - this.#renewedAt < minRenewMs) return this.#loading ?? failed
    this.#renewedAt = now
    // The authenticators of a KubeConfig remember tokens (a file for a minute, a plugin's until it expires); a new one does not.
    const { clusters, users, contexts, currentContext } = this.#kubeConfig
    this.#kubeConfig = new KubeConfig()
    this.#kubeConfig.loadFromOptions({ clusters, users, contexts, currentContext })
    await this.#loading
    return this.load()
  }

  /** Requests under way end, watches are cut. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    if (this.#session !== undefined) this.#drain(this.#session.pools)
    for (const { streams } of this.#draining.keys()) void streams.destroy()
    await Promise.all(this.#draining.values())
  }

  async #load(): Promise<Session> {
    const { reloadSeconds } = this.#options
    const before = this.#session
    try {
      const read: RequestOptions = {}
      await this.#kubeConfig.applyToHTTPSOptions(read)
      const tls = tlsOf(read)
      const headers = headersOf(read)
      const pools = before !== undefined && sameTls(tls, this.#tls) ? before.pools : this.#open(tls)
      this.#checkAt = performance.now() + reloadSeconds * 1000
      if (pools === before?.pools && sameHeaders(headers, before.headers)) return before
      this.#session = { origin: this.#origin, prefix: this.#server.pathname.replace(/\/$/, ''), headers, pools }
      this.#tls = tls
      if (pools === before?.pools) return this.#session
      if (before !== undefined) this.#drain(before.pools)
      if (this.#closing !== undefined) this.#drain(pools)
      return this.#session
    } catch (error) {
      // A file in the middle of its replacement, or a plugin that fails: what was good until now is tried on.
      if (before === undefined) throw credentialsError(error, this.#origin)
      this.#checkAt = performance.now() + minRenewMs
      return before
    }
  }

  #open(tls: TlsMaterial): ConnectionPools {
    const proxy = proxyFor(this.#server, this.#kubeConfig.getCurrentCluster()?.proxyUrl, process.env)
    return openPools(this.#origin, tls, proxy, this.#options.connections)
  }

  #drain(pools: ConnectionPools): void {
    const ended = Promise.all([pools.requests.close(), pools.streams.close()])
    this.#draining.set(
      pools,
      ended.then(() => this.#draining.delete(pools)),
    )
  }
}

/** The parts of node's HTTPS options that KubeConfig fills and undici understands. */
function tlsOf(read: RequestOptions): TlsMaterial {
  const { ca, cert, key, servername, rejectUnauthorized } = read
  return {
    ...(isBytes(ca) && { ca }),
    ...(isBytes(cert) && { cert }),
    ...(isBytes(key) && { key }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  }
}

function headersOf(read: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(read.headers ?? {})) {
    // A token file usually ends with a newline, which no header may hold.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim()
  }
  if (read.auth) headers.authorization = `Basic ${Buffer.from(read.auth).toString('base64')}`
  return headers
}

function sameHeaders(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isBytes(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

/** A plugin's error holds what it wrote to stderr, so only a code is passed on ('CREDENTIALS_ENOENT'). */
function credentialsError(error: unknown, server: string): ConnectionError {
  const { code } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return new ConnectionError(typeof code === 'string' ? `CREDENTIALS_${code}` : 'CREDENTIALS', server)
}
