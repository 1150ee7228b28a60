/**
 * An HTTP proxy in front of the real API server, which sees requests and can alter single ones and their answers: for
 * answers that a healthy API server does not give. Clients talk plain HTTP to it, and it authenticates as the admin.
 */
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type request,
  type ServerResponse,
} from 'node:http'
import { type RequestOptions, request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { KubeConfig } from '@kubernetes/client-node'

/**
 * What to do with a request. Nothing: pass it on. A string: pass it on with this URL instead. A function: it answers.
 */
export type Interference = string | ((response: ServerResponse, forward: () => Promise<Forwarded>) => void) | undefined

export interface Forwarded {
  code: number
  body: string
}

export interface HttpProxy {
  url: string
  /** All requests so far. */
  requests: { method: string; url: URL; headers: IncomingHttpHeaders }[]
  /** Is asked about each request. */
  interfere: (method: string, url: URL) => Interference
  close(): Promise<void>
}

export async function startHttpProxy(admin: KubeConfig): Promise<HttpProxy> {
  const target = admin.getCurrentCluster()?.server ?? ''
  const tls: RequestOptions = {}
  await admin.applyToHTTPSOptions(tls)
  const { ca, cert, key } = tls

  const upstream = (incoming: IncomingMessage, path: string) =>
    secureRequest(new URL(path, target), {
      method: incoming.method,
      headers: { ...incoming.headers, host: new URL(target).host },
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      agent: false,
    })

  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    proxy.requests.push({ method, url: new URL(url, target), headers })
    const interference = proxy.interfere(method, new URL(url, target))
    if (typeof interference === 'function') {
      interference(outgoing, () => collect(incoming, upstream(incoming, url)))
      return
    }
    const forwarded = upstream(incoming, interference ?? url)
    forwarded.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    outgoing.on('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: HttpProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    interfere: () => undefined,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}

async function collect(incoming: IncomingMessage, forwarded: ReturnType<typeof request>): Promise<Forwarded> {
  incoming.pipe(forwarded)
  const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]
  const chunks = await answer.setEncoding('utf8').toArray()
  return { code: answer.statusCode ?? 0, body: chunks.join('') }
}

/** Interference for the first `times` matching requests; the others pass. */
export function first(
  times: number,
  matches: (method: string, url: URL) => boolean,
  what: Interference,
): HttpProxy['interfere'] {
  let left = times
  return (method, url) => (left > 0 && matches(method, url) && left-- > 0 ? what : undefined)
}

/** An answer of one's own. */
export function answer(code: number, body: string, headers: Record<string, string> = {}): Interference {
  return (response) => response.writeHead(code, headers).end(body)
}
