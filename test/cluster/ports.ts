/** Free TCP ports of 127.0.0.1, as the kernel gives them out. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * All are held open until the last one is known, so they differ from each other.
 * Another process may still take one before it is used: callers that care retry.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
