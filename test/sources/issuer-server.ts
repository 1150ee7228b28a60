/** An issuer on loopback: answers as a source's case says, or misbehaves as the contract asks. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface IssuerRequest {
  method: string
  /** Without the query. */
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
  /** When it came, of performance.now(). */
  at: number
}

export interface IssuerAnswer {
  /** Default 200. */
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON. */
  body?: object | string
}

export type Handler = (request: IssuerRequest) => IssuerAnswer | Promise<IssuerAnswer>

/** What a server does to every request instead of its handler. */
export type Misbehaviour = (response: ServerResponse) => void

export interface IssuerServer {
  /** http://127.0.0.1:PORT or https://… */
  readonly url: string
  /** All requests that have come, in their order. */
  readonly requests: readonly IssuerRequest[]
  /** Requests under way now, and the most that there were at one time. */
  readonly concurrency: { now: number; most: number }
  answer: Handler
  /** Undefined: it answers well again. */
  misbehaviour: Misbehaviour | undefined
  stop(): Promise<void>
}

/** @param tls certificate and key in PEM, for https */
export async function startIssuer(answer: Handler, tls?: { cert: string; key: string }): Promise<IssuerServer> {
  const requests: IssuerRequest[] = []
  const concurrency = { now: 0, most: 0 }
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    concurrency.most = Math.max(concurrency.most, ++concurrency.now)
    response.once('close', () => concurrency.now--)
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://issuer')
    const body = (await incoming.setEncoding('utf8').toArray()).join('')
    const request = {
      method: incoming.method ?? '',
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      body,
      at: performance.now(),
    }
    requests.push(request)
    if (issuer.misbehaviour) return issuer.misbehaviour(response)
    const { status = 200, headers = {}, body: told = '' } = await issuer.answer(request)
    const isText = typeof told === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers })
    response.end(isText ? told : JSON.stringify(told))
  }
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    serve(incoming, response).catch((error: Error) => response.destroy(error))
  }
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer: IssuerServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    concurrency,
    answer,
    misbehaviour: undefined,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return issuer
}
