/**
 * The one way out of the operator to anything that is not the API server: issuers and registries. What is asked here is
 * partly chosen by the answers of others, so everything is bounded: where a request may go, how long it takes, how much
 * is read. The rules are those of the design for server-side request forgery and for credentials that must not travel.
 */
import { lookup } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { type Dispatcher, fetch as send } from 'undici'
import { isLoopback, isMetadata } from './addresses.ts'
import { Connections, maxBodyBytes } from './connections.ts'
import { OutboundError, toOutboundError } from './outbound-error.ts'
import { type OutboundRequest, readRequest, redirected } from './outbound-request.ts'
import { proxyFor } from './proxy.ts'

export interface OutboundOptions {
  /** PEM files trusted beside Node's own roots; read again when they change. */
  caFiles: readonly string[]
  /** host or host:port (IPv6 in brackets) that may be spoken to without TLS; loopback always may. */
  insecureHosts: readonly string[]
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY: see proxy.ts. */
  env: NodeJS.ProcessEnv
}

interface Route {
  dispatcher: Dispatcher
  proxied: boolean
}

/** Over connecting, redirects, headers and body. */
const deadlineMs = 15_000

export class Outbound {
  /**
   * A WHATWG fetch with the installation's limits; the Response has been read whole.
   * @throws OutboundError; the reason of the caller's signal when that is aborted
   */
  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init, false)
  /** The same, but metadata servers may be asked too, without TLS and never by a proxy. */
  readonly metadataFetch: typeof fetch = (input, init) => this.#fetch(input, init, true)

  readonly #options: OutboundOptions
  readonly #resolve: typeof lookup
  #trusted: { text: string; connections: Connections } | undefined

  /** @param resolve for tests of what a name may resolve to */
  constructor(options: OutboundOptions, resolve: typeof lookup = lookup) {
    this.#options = options
    this.#resolve = resolve
  }

  /** Whatever is under way fails. */
  async close(): Promise<void> {
    await this.#trusted?.connections.close()
  }

  async #fetch(input: string | URL | Request, init: RequestInit | undefined, metadata: boolean): Promise<Response> {
    const { request, signal } = await readRequest(input, init)
    signal?.throwIfAborted()
    const cut = new AbortController()
    const timer = setTimeout(() => cut.abort(new OutboundError('ETIMEDOUT', request.url.host)), deadlineMs)
    const onAbort = () => cut.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    try {
      return await this.#follow(request, cut.signal, metadata)
    } catch (error) {
      throw cut.signal.aborted ? cut.signal.reason : error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #follow(first: OutboundRequest, signal: AbortSignal, metadata: boolean): Promise<Response> {
    const connections = await this.#trusting(first.url.host)
    let request = first
    for (let redirects = 0; ; redirects++) {
      const response = await exchange(request, this.#route(request.url, connections, metadata), signal)
      const next = redirected(request, response, redirects)
      if (next === undefined) return response
      request = next
    }
  }

  #route(url: URL, connections: Connections, metadata: boolean): Route {
    if (isMetadata(url.hostname)) {
      if (!metadata) throw new OutboundError('ERR_ADDRESS', url.host)
      return { dispatcher: connections.metadata, proxied: false }
    }
    if (url.protocol === 'http:' && !this.#mayBePlain(url)) throw new OutboundError('ERR_INSECURE', url.host)
    try {
      const proxy = proxyFor(url, undefined, this.#options.env)
      return proxy === undefined
        ? { dispatcher: connections.direct, proxied: false }
        : { dispatcher: connections.byProxy(proxy), proxied: true }
    } catch {
      throw new OutboundError('ERR_PROXY', url.host) // what is wrong with the proxy's URL would be told with its password
    }
  }

  #mayBePlain({ hostname, port }: URL): boolean {
    const names = [hostname, `${hostname}:${port || '80'}`]
    return isLoopback(hostname) || this.#options.insecureHosts.some((host) => names.includes(host.toLowerCase()))
  }

  /** The old connections end by themselves when they have been idle for some seconds. */
  async #trusting(host: string): Promise<Connections> {
    try {
      const pems = await Promise.all(this.#options.caFiles.map((file) => readFile(file, 'utf8')))
      const text = pems.join('\n')
      if (this.#trusted?.text !== text) this.#trusted = { text, connections: new Connections(pems, this.#resolve) }
      return this.#trusted.connections
    } catch {
      throw new OutboundError('ERR_CA_FILE', host)
    }
  }
}

async function exchange(request: OutboundRequest, route: Route, signal: AbortSignal): Promise<Response> {
  const { url, method, headers, body } = request
  try {
    const answer = await send(url, {
      method,
      headers,
      body,
      redirect: 'manual',
      dispatcher: route.dispatcher,
      signal,
    })
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of answer.body ?? []) {
      size += chunk.length
      if (size > maxBodyBytes) throw new OutboundError('ERR_TOO_LARGE', url.host)
      chunks.push(chunk)
    }
    const { status, statusText } = answer
    return new Response(answer.body && Buffer.concat(chunks), { status, statusText, headers: [...answer.headers] })
  } catch (error) {
    throw toOutboundError(error, url.host, route.proxied)
  }
}
