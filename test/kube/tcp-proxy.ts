/** A TCP proxy in front of the API server, for the faults of a network: connections cut, frozen, refused. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  /** https, as the certificate is the API server's own. */
  url: string
  /** Connections open at present. */
  readonly connections: number
  /** Resets all connections. */
  cut(): void
  /** The connections of now stay open for ever, and nothing passes through them any more. New ones work. */
  freeze(): void
  /** Nothing passes, new connections get no answer; with false, what was held back passes after all, as in a network. */
  hold(on: boolean): void
  /** Resets all connections and takes no new ones, until called with false. */
  refuse(on: boolean): void
  close(): Promise<void>
}

/**
 * @param target URL of the API server, on 127.0.0.1
 * @param address where it listens; default a free port of 127.0.0.1
 */
export async function startTcpProxy(target: string, address = { host: '127.0.0.1', port: 0 }): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<[Socket, Socket]>()
  let refusing = false
  let holding = false
  const pass = ([client, upstream]: [Socket, Socket]) => {
    client.pipe(upstream)
    upstream.pipe(client)
  }
  const server = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(Number(port), hostname)
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    if (!holding) pass(pair)
  })
  server.listen(address)
  await once(server, 'listening')
  const cut = () => {
    for (const [client] of [...pairs]) client.resetAndDestroy()
  }
  const freeze = () => {
    for (const [client, upstream] of pairs) {
      client.unpipe(upstream)
      upstream.unpipe(client)
      client.pause()
      upstream.pause()
    }
  }
  return {
    url: `https://${address.host}:${(server.address() as AddressInfo).port}`,
    get connections() {
      return pairs.size
    },
    cut,
    freeze,
    hold(on) {
      holding = on
      if (on) freeze()
      else for (const pair of pairs) pass(pair)
    },
    refuse(on) {
      refusing = on
      if (on) cut()
    },
    async close() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
