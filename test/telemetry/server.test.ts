import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { KeyPair } from '../../src/telemetry/certificates.ts'
import { ListenError, type Routes, serve, type Verdict } from '../../src/telemetry/server.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { closeAll, endWithTest, start } from './servers.ts'

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
    const server = endWithTest(await listen(':0'))
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

describe('a protected server', () => {
  const authority = createAuthority('test-ca')
  const pairOf = (name: string): KeyPair => {
    const { certificate, key } = serverCertificate(authority, name)
    return { cert: certificate, key }
  }
  const routes: Routes = { '/metrics': () => ({ status: 200, type: 'text/plain', body: 'ok' }) }
  let verdict: Verdict
  let judged: unknown[]
  let renew: (pair: KeyPair) => void
  let ended: AbortSignal
  let port: number

  beforeEach(async () => {
    verdict = 'allowed'
    judged = []
    const serving = serve({
      flag: '--flag',
      address: '127.0.0.1:0',
      routes,
      protection: {
        certificates: async (renewed, signal) => {
          renew = renewed
          ended = signal
          return pairOf('first')
        },
        guard: async (...args) => {
          judged.push(args)
          return verdict
        },
      },
    })
    port = endWithTest(await serving).port
  })

  async function get(path = '/metrics', method = 'GET') {
    const options = { host: '127.0.0.1', port, path, method, ca: authority.certificate, agent: false } as const
    const outgoing = request({ ...options, headers: { authorization: 'Bearer me' } })
    outgoing.end()
    const [incoming] = await once(outgoing, 'response')
    const body = (await incoming.setEncoding('utf8').toArray()).join('')
    return { status: incoming.statusCode, headers: incoming.headers, body, name: nameOf(incoming.socket) }
  }

  const nameOf = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN

  async function handshake(minVersion: SecureVersion, maxVersion: SecureVersion, protocols: string[] = []) {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ca: authority.certificate,
      minVersion,
      maxVersion,
      ...(protocols.length > 0 && { ALPNProtocols: protocols }),
      ciphers: 'DEFAULT@SECLEVEL=0', // or the client itself would refuse the old versions
    })
    try {
      await once(socket, 'secureConnect')
      return [socket.getProtocol(), socket.alpnProtocol]
    } finally {
      socket.destroy()
    }
  }

  test('answers whom its guard allows, which sees the header and the address', async () => {
    expect(await get()).toMatchObject({ status: 200, body: 'ok' })
    expect(judged).toEqual([['Bearer me', '127.0.0.1']])
  })

  test.each<[Verdict, number, string, Record<string, string>]>([
    ['unauthenticated', 401, 'unauthorized\n', { 'www-authenticate': 'Bearer' }],
    ['forbidden', 403, 'forbidden\n', {}],
    ['unknown', 503, 'who may ask cannot be found out now\n', { 'retry-after': '1' }],
  ])('who is %s gets %d and nothing of the route', async (refusal, status, body, headers) => {
    verdict = refusal
    expect(await get()).toMatchObject({ status, body, headers })
  })

  test('does not trouble its guard with what it does not answer anyway', async () => {
    expect((await get('/other')).status).toBe(404)
    expect((await get('/metrics', 'POST')).status).toBe(405)
    expect(judged).toEqual([])
  })

  test('judges HEAD too', async () => {
    verdict = 'forbidden'
    expect((await get('/metrics', 'HEAD')).status).toBe(403)
  })

  test('keeps no more connections than fit into the memory, and none with half a request for long', async () => {
    const sockets: TLSSocket[] = []
    let open = 0
    for (let count = 0; count < 150; count++) {
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ca: authority.certificate,
        checkServerIdentity: () => undefined,
      })
      sockets.push(socket)
      socket.on('error', () => {}) // one that is turned away
      const opened = await Promise.race([
        once(socket, 'secureConnect').then(
          () => true,
          () => false,
        ),
        once(socket, 'close').then(() => false),
      ])
      if (!opened) continue
      open++
      socket.once('close', () => open--).resume()
      socket.write('GET /metrics HTTP/1.1\r\nHost: ')
    }
    expect(open).toBeGreaterThan(0)
    expect(open).toBeLessThanOrEqual(100)
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
    expect(await get()).toMatchObject({ status: 200 })
  })

  test('does not speak plain HTTP', async () => {
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow()
    expect(judged).toEqual([])
  })

  test('speaks TLS 1.3 and 1.2, no older, and HTTP/1.1 in it', async () => {
    expect(await handshake('TLSv1', 'TLSv1.3', ['h2', 'http/1.1'])).toEqual(['TLSv1.3', 'http/1.1'])
    expect((await handshake('TLSv1', 'TLSv1.2'))[0]).toBe('TLSv1.2')
    await expect(handshake('TLSv1', 'TLSv1.1')).rejects.toThrow(/alert protocol version/)
  })

  test('shows a new certificate to the next connection, by the same rules, until it is closed', async () => {
    expect((await get()).name).toBe('first')
    renew(pairOf('second'))
    expect((await get()).name).toBe('second')
    await expect(handshake('TLSv1', 'TLSv1.1')).rejects.toThrow(/alert protocol version/)
    expect(ended.aborted).toBe(false)
    await closeAll()
    expect(ended.aborted).toBe(true)
  })

  test('is not started without a certificate', async () => {
    const certificates = () => Promise.reject(new Error('no certificate'))
    const protection = { certificates, guard: async () => 'allowed' as const }
    const started = serve({ flag: '--flag', address: '127.0.0.1:0', routes, protection })
    await expect(started).rejects.toThrow('no certificate')
  })
})
