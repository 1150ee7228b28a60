/** A registry on this machine that takes one login: enough to see what the operator makes of another. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** @param login `user:password` */
export async function startDemoRegistry(login: string): Promise<{ host: string; stop(): Promise<void> }> {
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`
  const server = createServer((request, response) => {
    if (request.headers.authorization === authorization) response.writeHead(200).end('{}')
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="demo"' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
