/** Servers on loopback to be spoken to through Outbound. All are closed after the test. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { afterEach } from '@jest/globals'
import type { Certificate } from '../cluster/certificates.ts'

export interface Servers {
  /** @returns the origin, such as `http://127.0.0.1:1234` */
  http(listener: RequestListener): Promise<string>
  https(certificate: Certificate, listener: RequestListener): Promise<string>
  /** A proxy in whose network every name is 127.0.0.1. */
  proxy(tunnels: string[]): Promise<string>
  /** @returns host:port of any server of node:net. */
  listen(server: Server): Promise<string>
}

export function servers(): Servers {
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })
  async function listen(server: Server): Promise<string> {
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    })
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  return {
    listen,
    http: async (listener) => `http://${await listen(createServer(listener))}`,
    https: async ({ certificate, key }, listener) =>
      `https://${await listen(createTlsServer({ cert: certificate, key }, listener))}`,
    proxy: async (tunnels) => {
      const proxy = createServer().on('connect', ({ url = '' }, client: Socket) => {
        tunnels.push(url)
        const upstream = connect(Number(url.split(':').at(-1)), '127.0.0.1')
        client.on('error', () => undefined).on('close', () => upstream.destroy())
        upstream.on('error', () => undefined).on('close', () => client.destroy())
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      return `http://${await listen(proxy)}`
    },
  }
}
