/** A proxy as companies have them between a cluster and its clients: tunnels by CONNECT, on demand only with a password. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxy {
  /** Without credentials. */
  url: string
  /** host:port of all tunnels asked for. */
  tunnels: string[]
  close(): Promise<void>
}

/** @param authorization the Proxy-Authorization header that is asked for; everybody is let through without */
export async function startConnectProxy(authorization?: string): Promise<ConnectProxy> {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    if (authorization !== undefined && headers['proxy-authorization'] !== authorization) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    tunnels.push(url)
    const [host, port] = url.split(':')
    const upstream = connect(Number(port), host ?? '', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy()
          upstream.destroy()
        })
    }
    client.pipe(upstream)
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
