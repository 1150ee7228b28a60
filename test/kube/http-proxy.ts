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
import { pipeline } from 'node:stream/promises'
import type { KubeConfig } from '@kubernetes/client-node'
import { LineSplitter } from '../../src/kube/split-lines.ts'

/**
 * What to do with a request. Nothing: pass it on. A string: pass it on with this URL instead. A function: it answers.
 * `text`: pass it on, and of a watch send this instead of its lines; the watch ends when that does, and breaks off when
 * that throws.
 */
export type Interference =
  | string
  | ((response: ServerResponse, forward: () => Promise<Forwarded>) => void)
  | { text: (lines: AsyncIterable<string>) => AsyncIterable<string> }
  | undefined

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
  /** Ends all watches of now, in good order, as an API server does when their time is up. */
  endWatches(): void
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

  const watches = new Set<() => void>()
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    proxy.requests.push({ method, url: new URL(url, target), headers })
    const interference = proxy.interfere(method, new URL(url, target))
    if (typeof interference === 'function') {
      interference(outgoing, () => collect(incoming, upstream(incoming, url)))
      return
    }
    const text = typeof interference === 'object' ? interference.text : undefined
    const forwarded = upstream(incoming, typeof interference === 'string' ? interference : url)
    forwarded.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      outgoing.flushHeaders()
      if (text) void pipeline(answer, linesOf, text, outgoing).catch(() => outgoing.destroy())
      else answer.pipe(outgoing)
    })
    if (isWatch(method, new URL(url, target))) {
      const end = () => {
        outgoing.end()
        forwarded.destroy()
      }
      watches.add(end)
      outgoing.on('close', () => watches.delete(end))
    }
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
    endWatches() {
      for (const end of [...watches]) end()
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const splitter = new LineSplitter()
  for await (const chunk of chunks) yield* splitter.push(chunk)
}

export function isWatch(method: string, url: URL): boolean {
  return method === 'GET' && url.searchParams.get('watch') === 'true'
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
