/**
 * The pooled HTTP/1.1 connections to one API server with one set of TLS material.
 *
 * HTTP/1.1 on purpose: with HTTP/2 one frozen TCP connection takes all requests and watches down with it. Watches have
 * their own pool without a limit, so that they never take connections from reads and writes.
 */
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

/** @param proxy the URL of an HTTP(S) or SOCKS5 proxy */
export function openPools(
  origin: string,
  tls: TlsMaterial,
  proxy: string | undefined,
  connections: number,
): ConnectionPools {
  return { requests: openPool(origin, tls, proxy, connections), streams: openPool(origin, tls, proxy, null) }
}

function openPool(origin: string, tls: TlsMaterial, proxy: string | undefined, connections: number | null): Dispatcher {
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
