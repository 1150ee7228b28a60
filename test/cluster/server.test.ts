import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startGuard } from './guard.ts'
import { createServer, type Server } from './server.ts'
import { isAlive, temporaryFolders } from './temporary.ts'

const folder = temporaryFolders()

function shell(script: string, binary = '/bin/sh'): Server {
  const logFile = join(folder(), 'log')
  const ready = (): Promise<void> => Promise.resolve()
  return createServer({ name: 'the server', binary, args: ['-c', script], logFile, guard: startGuard(), ready })
}

test('a server that ends before it is ready is reported with the end of its log', async () => {
  const logFile = join(folder(), 'log')
  const server = createServer({
    name: 'the server',
    binary: '/bin/sh',
    args: ['-c', 'echo the reason; exit 3'],
    logFile,
    guard: startGuard(),
    ready: () => Promise.reject(new Error('not yet')),
  })
  await expect(server.start()).rejects.toThrow('the server ended (exit code 3):\nthe reason')
  expect(server.pid).toBeUndefined()
})

test('a binary that cannot be started is reported', async () => {
  await expect(shell('', '/no/such/binary').start()).rejects.toThrow('the server ended (spawn /no/such/binary ENOENT)')
})

test('stopping waits until the process is gone and tells how it ended', async () => {
  const server = shell('exec sleep 600')
  await server.start()
  const { pid = 0 } = server
  expect(isAlive(pid)).toBe(true)
  await expect(server.stop('SIGTERM')).resolves.toEqual({ code: null, signal: 'SIGTERM' })
  expect(isAlive(pid)).toBe(false)
})

test('a stopped server can be started again', async () => {
  const server = shell('exec sleep 600')
  await server.start()
  const first = server.pid
  await server.stop()
  await server.start()
  expect(server.pid).not.toBe(first)
  expect(isAlive(server.pid ?? 0)).toBe(true)
  await server.stop()
})

test('a frozen server can be killed', async () => {
  const server = shell('exec sleep 600')
  await server.start()
  server.signal('SIGSTOP')
  await expect(server.stop()).resolves.toMatchObject({ signal: 'SIGKILL' })
})
