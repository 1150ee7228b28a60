/** Servers of a test, which end with it. */
import { afterEach } from '@jest/globals'
import { type Routes, type RunningServer, serve } from '../../src/telemetry/server.ts'

const servers: RunningServer[] = []

afterEach(closeAll)

export async function closeAll(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close()))
}

/** @throws Error when the address said that there is to be none */
export function endWithTest(server: RunningServer | undefined): RunningServer {
  if (!server) throw new Error('no server')
  servers.push(server)
  return server
}

/** Starts a server on a free port of the loopback interface. */
export async function start(routes: Routes): Promise<{ server: RunningServer; url: string }> {
  const server = endWithTest(await serve({ flag: '--flag', address: '127.0.0.1:0', routes }))
  return { server, url: `http://127.0.0.1:${server.port}` }
}
