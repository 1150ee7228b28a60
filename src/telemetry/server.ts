/**
 * A small server of a few paths, open to everybody over HTTP, or guarded over HTTPS. It answers GET and HEAD and knows
 * nothing else.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { BIND_ADDRESS_EXAMPLES, parseBindAddress } from './bind-address.ts'
import type { Certificates, KeyPair } from './certificates.ts'

export interface Answer {
  status: number
  type: string
  body: string
}

/** What a path answers to GET, given its query. */
export type Route = (query: URLSearchParams) => Answer | Promise<Answer>
export type Routes = Readonly<Record<`/${string}`, Route>>

/** Whether a request may be answered; `unknown` when that cannot be found out now. */
export type Verdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'unknown'

/**
 * Judges a request. Must not throw.
 * @param authorization the header
 * @param client its address
 */
export type Guard = (authorization: string | undefined, client: string) => Promise<Verdict>

/** HTTPS only, and whoever asks for a route must be let in. */
export interface Protection {
  certificates: Certificates
  guard: Guard
}

export interface Listener {
  /** The flag that chose the address: errors name it. */
  flag: string
  /** In Kubernetes' manner, see bind-address.ts. */
  address: string
  routes: Routes
  /** Without it, everybody is answered in plain HTTP. */
  protection?: Protection
}

export interface RunningServer {
  /** The port in use: of interest when the address asked for port 0. */
  port: number
  /** Stops listening and ends every connection at once. */
  close(): Promise<void>
}

/** A server that cannot listen where it was told to. The message names the flag, the address and the cure. */
export class ListenError extends Error {
  override name = 'ListenError'
}

/** Listens, or returns undefined when the address says not to. @throws ListenError; what `certificates` throws */
export async function serve({ flag, address, routes, protection }: Listener): Promise<RunningServer | undefined> {
  const bind = parseBindAddress(address)
  if (bind === 'disabled') return undefined
  if (!bind) throw new ListenError(`${flag}: "${address}" is not an address to listen on; ${BIND_ADDRESS_EXAMPLES}`)
  const end = new AbortController()
  const answer: RequestListener = (request, response) => void respond(request, response, routes, protection?.guard)
  const server = protection
    ? await tlsServer(protection.certificates, answer, end.signal)
    : createServer(timeouts, answer)
  const listening = Promise.withResolvers<void>()
  server.once('error', (error) => listening.reject(new ListenError(`${flag}: ${whyNot(error, address)}`)))
  server.listen({ port: bind.port, ...(bind.host && { host: bind.host }) }, () => listening.resolve())
  await listening.promise.catch((error) => {
    end.abort()
    throw error
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      end.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** No client keeps a half-sent request open; Node would look for them every 30 seconds. */
const timeouts = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 }
/**
 * Some 80 KiB each, which everybody can have who reaches the port, and Prometheus needs one. Whoever takes all of them keeps
 * it out, but does not end the operator. Plain HTTP has no limit: a probe that is kept out would have the kubelet do so.
 */
const maxTlsConnections = 100

/** HTTP/1.1 over TLS 1.3, or 1.2 with a client that knows no better; Node offers the newest first. */
async function tlsServer(certificates: Certificates, answer: RequestListener, signal: AbortSignal) {
  const context = ({ cert, key }: KeyPair) => ({ cert, key, minVersion: 'TLSv1.2' as const })
  const first = await certificates((pair) => server.setSecureContext(context(pair)), signal)
  const server = createTlsServer({ ...timeouts, handshakeTimeout: 5_000, ...context(first) }, answer)
  server.maxConnections = maxTlsConnections
  return server
}

export function plainText(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes,
  guard: Guard | undefined,
): Promise<void> {
  const { status, type, body } = await answerTo(request, routes, guard)
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headersOf[status],
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const headersOf: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  405: { Allow: 'GET, HEAD' },
  503: { 'Retry-After': '1' },
}

const refusals: Readonly<Record<Exclude<Verdict, 'allowed'>, Answer>> = {
  unauthenticated: plainText(401, 'unauthorized\n'),
  forbidden: plainText(403, 'forbidden\n'),
  unknown: plainText(503, 'who may ask cannot be found out now\n'),
}

async function answerTo(request: IncomingMessage, routes: Routes, guard: Guard | undefined): Promise<Answer> {
  const { method, url = '', headers, socket } = request
  const [path = '', query] = url.split('?', 2)
  const route = Object.hasOwn(routes, path) ? routes[path as keyof Routes] : undefined
  if (!route) return plainText(404, 'not found\n')
  if (method !== 'GET' && method !== 'HEAD') return plainText(405, 'only GET and HEAD\n')
  try {
    const verdict = guard ? await guard(headers.authorization, socket.remoteAddress ?? '') : 'allowed'
    return verdict === 'allowed' ? await route(new URLSearchParams(query)) : refusals[verdict]
  } catch {
    return plainText(500, 'internal error\n')
  }
}

function whyNot(error: NodeJS.ErrnoException, address: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${address} is already in use by another process; choose another port, or 0 to disable it`
    case 'EACCES':
      return `no permission to listen on ${address}; choose a port above 1023`
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine; ${BIND_ADDRESS_EXAMPLES}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name in ${address} is not known; ${BIND_ADDRESS_EXAMPLES}`
    default:
      return `cannot listen on ${address} (${error.code ?? error.message})`
  }
}
