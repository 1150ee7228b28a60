/**
 * The two small HTTP servers of a controller: `/healthz` and `/readyz` for the kubelet's probes, `/metrics` for
 * Prometheus. They answer GET and HEAD and know nothing else.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BIND_ADDRESS_EXAMPLES, parseBindAddress } from './bind-address.ts'
import { type Check, runChecks } from './checks.ts'
import type { Metrics } from './metrics.ts'

export interface Answer {
  status: number
  type: string
  body: string
}

/** What a path answers to GET, given its query. */
export type Route = (query: URLSearchParams) => Answer | Promise<Answer>
export type Routes = Readonly<Record<`/${string}`, Route>>

export interface Listener {
  /** The flag that chose the address: errors name it. */
  flag: string
  /** In Kubernetes' manner, see bind-address.ts. */
  address: string
  routes: Routes
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

/** `/healthz` fails: restart me. `/readyz` fails: not working yet, or no longer. */
export function probeRoutes(checks: { healthz: readonly Check[]; readyz: readonly Check[] }): Routes {
  return { '/healthz': checkRoute('healthz', checks.healthz), '/readyz': checkRoute('readyz', checks.readyz) }
}

/** `/metrics` in Prometheus' text format. */
export function metricsRoutes({ registry }: Metrics): Routes {
  return {
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  }
}

/** Listens, or returns undefined when the address says not to. @throws ListenError */
export async function serve({ flag, address, routes }: Listener): Promise<RunningServer | undefined> {
  const bind = parseBindAddress(address)
  if (bind === 'disabled') return undefined
  if (!bind) throw new ListenError(`${flag}: "${address}" is not an address to listen on; ${BIND_ADDRESS_EXAMPLES}`)
  const timeouts = { headersTimeout: 5_000, requestTimeout: 5_000 } // no client keeps a half-sent request open
  const server = createServer(timeouts, (request, response) => void respond(request, response, routes))
  const listening = Promise.withResolvers<void>()
  server.once('error', (error) => listening.reject(new ListenError(`${flag}: ${whyNot(error, address)}`)))
  server.listen({ port: bind.port, ...(bind.host && { host: bind.host }) }, () => listening.resolve())
  await listening.promise
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function checkRoute(title: string, checks: readonly Check[]): Route {
  return (query) => {
    const { ok, text } = runChecks(title, checks, query.has('verbose'))
    return plainText(ok ? 200 : 500, text)
  }
}

function plainText(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

async function respond(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const { status, type, body } = await answerTo(request, routes)
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(status === 405 && { Allow: 'GET, HEAD' }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answerTo({ method, url = '' }: IncomingMessage, routes: Routes): Promise<Answer> {
  const [path = '', query] = url.split('?', 2)
  const route = Object.hasOwn(routes, path) ? routes[path as keyof Routes] : undefined
  if (!route) return plainText(404, 'not found\n')
  if (method !== 'GET' && method !== 'HEAD') return plainText(405, 'only GET and HEAD\n')
  try {
    return await route(new URLSearchParams(query))
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
