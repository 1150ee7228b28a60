import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ListenError, type Routes, type RunningServer, serve } from '../../src/telemetry/server.ts'

const servers: RunningServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** Starts a server on a free port of the loopback interface. */
async function start(routes: Routes): Promise<{ server: RunningServer; url: string }> {
  const server = await serve({ flag: '--flag', address: '127.0.0.1:0', routes })
  if (!server) throw new Error('no server')
  servers.push(server)
  return { server, url: `http://127.0.0.1:${server.port}` }
}

describe('the server', () => {
  const routes: Routes = { '/healthz': () => ({ status: 200, type: 'text/plain', body: 'ok' }) }

  test('answers HEAD without a body', async () => {
    const { url } = await start(routes)
    const answer = await fetch(`${url}/healthz`, { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '2', ''])
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { url } = await start(routes)
    const answer = await fetch(`${url}/healthz`, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test.each(['/', '/healthz/', '/healthz/ping', '/metrics', '/constructor', '//', '/%'])(
    'knows nothing at %s',
    async (path) => {
      const { url } = await start(routes)
      expect((await fetch(url + path)).status).toBe(404)
    },
  )

  test('turns a route that throws into 500 without its reason', async () => {
    const { url } = await start({ '/x': () => Promise.reject(new Error('hunter2')) })
    const answer = await fetch(`${url}/x`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('hunter2')
  })

  test('closes although a request is running and a connection is idle', async () => {
    const entered = Promise.withResolvers<void>()
    const { server, url } = await start({
      '/hangs': () => {
        entered.resolve()
        return new Promise<never>(() => {})
      },
    })
    const idle = connect(server.port, '127.0.0.1').resume()
    await once(idle, 'connect')
    const hanging = fetch(`${url}/hangs`).then(
      () => 'answered',
      () => 'cut off',
    )
    await entered.promise
    await Promise.all([server.close(), once(idle, 'close')])
    expect(await hanging).toBe('cut off')
    await expect(fetch(`${url}/hangs`)).rejects.toThrow()
  })
})

describe('the address', () => {
  const listen = (address: string) => serve({ flag: '--health-probe-bind-address', address, routes: {} })

  test('0 starts no server', async () => {
    expect(await listen('0')).toBeUndefined()
  })

  test('without a host means every interface', async () => {
    const server = await listen(':0')
    if (!server) throw new Error('no server')
    servers.push(server)
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404)
  })

  test('a port in use is an error that names flag, address and cure', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = Object(other.address())
    await expect(listen(`127.0.0.1:${port}`)).rejects.toThrow(
      new ListenError(
        `--health-probe-bind-address: 127.0.0.1:${port} is already in use by another process; choose another port, or 0 to disable it`,
      ),
    )
    other.close()
    await once(other, 'close')
  })

  test.each([
    ['8081', '"8081" is not an address to listen on; write :8080'],
    ['192.0.2.1:8081', '192.0.2.1:8081 is not an address of this machine'],
  ])('%s is an error that names the flag', async (address, reason) => {
    await expect(listen(address)).rejects.toThrow(`--health-probe-bind-address: ${reason}`)
  })
})
