/**
 * The pooled HTTP/1.1 connections to one API server with one set of TLS material.
 *
 * HTTP/1.1 on purpose: with HTTP/2 one frozen TCP connection takes all requests and watches down with it. Watches have
 * their own pool without a limit, so that they never take connections from reads and writes.
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'

/** What KubeConfig reads from the kubeconfig, its files and its exec plugin. */
export interface TlsMaterial {
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
  servername?: string
  rejectUnauthorized?: boolean
}

export interface ConnectionPools {
  readonly requests: Dispatcher
  readonly streams: Dispatcher
}

const connectTimeoutMs = 5_000
/** Below the 90 s after which a kube-apiserver closes an idle connection, so that no request meets a closing one. */
const keepAliveMs = 60_000
/** TCP keep-alive as in client-go: load balancers forget idle connections after a minute. */
const tcpKeepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000 }

/** What Node makes of the material; of its parts it would make it anew for each connection, and keep it as long. */
interface Tls extends Pick<TlsMaterial, 'servername' | 'rejectUnauthorized'> {
  secureContext: SecureContext
}

/**
 * @param proxy the URL of an HTTP(S) or SOCKS5 proxy
 * @throws an error of OpenSSL where certificates or key are none, or do not fit together
 */
export function openPools(
  origin: string,
  { ca, cert, key, ...rest }: TlsMaterial,
  proxy: string | undefined,
  connections: number,
): ConnectionPools {
  const tls = { ...rest, secureContext: createSecureContext({ ca, cert, key }) }
  return { requests: openPool(origin, tls, proxy, connections), streams: openPool(origin, tls, proxy, null) }
}

function openPool(origin: string, tls: Tls, proxy: string | undefined, connections: number | null): Dispatcher {
  const options = {
    allowH2: false,
    connections,
    connectTimeout: connectTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    // Requests and watches have deadlines of their own.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  if (proxy === undefined) return new Pool(origin, { ...options, connect: { ...tls, ...tcpKeepAlive } })
  return new ProxyAgent({
    ...options,
    uri: proxy,
    requestTls: { ...tls, allowH2: false },
    proxyTls: { ...tcpKeepAlive, allowH2: false },
  })
}

export function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return (
    sameBytes(a.ca, b.ca) &&
    sameBytes(a.cert, b.cert) &&
    sameBytes(a.key, b.key) &&
    a.servername === b.servername &&
    a.rejectUnauthorized === b.rejectUnauthorized
  )
}

function sameBytes(a: string | Buffer | undefined, b: string | Buffer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.from(a).equals(Buffer.from(b))
}
