/**
 * A server of a part, on a free port of 127.0.0.1 and in a temporary folder of
 * its own. Both are gone when it is stopped, and when the process that started it
 * ends in whatever way.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../cluster/errors.ts'
import { startGuard } from '../cluster/guard.ts'
import { freePorts } from '../cluster/ports.ts'
import { createServer, type Server } from '../cluster/server.ts'

export interface PartServer {
  /** Its working folder, with its log. */
  dir: string
  port: number
  stop(): Promise<void>
}

export interface PartServerOptions {
  /** For messages. */
  name: string
  binary: string
  /** Writes its configuration into `dir`, and gives its arguments. */
  configure(dir: string, port: number): string[] | Promise<string[]>
  /** What its environment has beside ours. */
  env: Record<string, string>
}

const ATTEMPTS = 3

async function accepts(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

async function launch({ name, binary, configure, env }: PartServerOptions): Promise<PartServer> {
  const dir = await mkdtemp(join(tmpdir(), `regcred-${name}-`))
  const guard = startGuard(dir)
  const [port = 0] = await freePorts(1)
  let server: Server | undefined
  const stop = async (): Promise<void> => {
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
    guard.end()
  }
  try {
    server = createServer({
      name,
      binary,
      args: await configure(dir, port),
      env: { ...process.env, ...env },
      cwd: dir,
      logFile: join(dir, `${name}.log`),
      guard,
      ready: () => accepts(port),
    })
    await server.start()
    return { dir, port, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Fulfilled when it accepts connections; rejected with the end of its log. */
export async function startPart(options: PartServerOptions): Promise<PartServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(options)
    } catch (error) {
      // Between our look and its use another process took the port.
      const portTaken = /address already in use/i.test(messageOf(error))
      if (!portTaken || attempt === ATTEMPTS) throw error
    }
  }
}
