import type { lookup } from 'node:dns'
import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Outbound, type OutboundOptions } from '../../src/http/outbound.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { freePorts } from '../cluster/ports.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { startConnectProxy } from '../kube/connect-proxy.ts'
import { servers } from './servers.ts'

const server = servers()
const folder = temporaryFolders()
const authority = createAuthority('private CA')
const certificate = serverCertificate(authority, 'registry')
const ok: RequestListener = (_, response) => void response.end('ok')

const open: Outbound[] = []
afterEach(async () => {
  for (const outbound of open.splice(0)) await outbound.close()
})

function outbound(options: Partial<OutboundOptions> = {}, resolve?: typeof lookup): Outbound {
  const created = new Outbound({ caFiles: [], insecureHosts: [], env: {}, ...options }, resolve)
  open.push(created)
  return created
}

/** Every name has this address. */
function resolvesTo(address: string, family: number): typeof lookup {
  const resolve = (_: string, __: unknown, done: (error: null, addresses: object[]) => void) =>
    done(null, [{ address, family }])
  return resolve as unknown as typeof lookup
}

function caFile(text: string): string {
  const file = `${folder()}/ca.pem`
  writeFileSync(file, text)
  return file
}

/** The code and the message that a request fails with. */
async function failure(answer: Promise<Response>): Promise<{ code: string; host: string; message: string }> {
  const error = await answer.then(
    () => new Error('it was answered'),
    (thrown) => thrown,
  )
  expect(error).toMatchObject({ name: 'OutboundError' })
  return { code: error.code, host: error.host, message: error.message }
}

describe('an answer', () => {
  test('is a standard Response that has been read: status, headers that stand there twice, and body', async () => {
    const origin = await server.http((request, response) => {
      response.writeHead(401, {
        'www-authenticate': ['Basic realm="a"', 'Bearer realm="b"'],
        'x-method': request.method,
      })
      request.pipe(response)
    })
    const answer = await outbound().fetch(origin, { method: 'POST', body: new URLSearchParams({ a: 'b c' }) })
    expect(answer).toBeInstanceOf(Response)
    expect([answer.status, answer.headers.get('x-method')]).toEqual([401, 'POST'])
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="a", Bearer realm="b"')
    expect(await answer.text()).toBe('a=b+c')
  })

  test('may have no body', async () => {
    const origin = await server.http((request, response) =>
      request.method === 'HEAD'
        ? response.writeHead(200, { 'content-length': 5_000_000 }).end()
        : response.writeHead(204).end(),
    )
    expect((await outbound().fetch(origin, { method: 'HEAD' })).headers.get('content-length')).toBe('5000000')
    expect((await outbound().fetch(new Request(origin))).status).toBe(204)
  })

  test('of more than 1 MiB is cut off, also when it is small before decompression', async () => {
    const large = Buffer.alloc(1024 * 1024 + 1, ' ')
    const origin = await server.http((request, response) => {
      if (request.url === '/exact') response.end(large.subarray(1))
      else if (request.url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(large))
      else response.end(large)
    })
    const { fetch } = outbound()
    expect((await (await fetch(`${origin}/exact`)).bytes()).length).toBe(1024 * 1024)
    expect(await failure(fetch(origin))).toMatchObject({ code: 'ERR_TOO_LARGE' })
    expect(await failure(fetch(`${origin}/gzip`))).toMatchObject({ code: 'ERR_TOO_LARGE' })
  })
})

describe('TLS', () => {
  test('is asked for, but for loopback and the hosts that are named', async () => {
    const origin = await server.http(ok)
    const { port } = new URL(origin)
    const toLoopback = resolvesTo('127.0.0.1', 4)
    const plain = (insecureHosts: string[]) =>
      outbound({ insecureHosts }, toLoopback).fetch(`http://registry.example:${port}/secret?secret`)
    expect((await outbound().fetch(`http://localhost:${port}`)).status).toBe(200)
    expect((await plain(['registry.example'])).status).toBe(200)
    expect((await plain([`Registry.example:${port}`])).status).toBe(200)
    expect(await failure(plain(['registry.example:1', 'example']))).toEqual({
      code: 'ERR_INSECURE',
      host: `registry.example:${port}`,
      message: expect.stringMatching(/^registry\.example:\d+ is not spoken to .*--insecure-host$/),
    })
  })

  test('with a private CA works when its file is named, and the file is read again when it changes', async () => {
    const origin = await server.https(certificate, ok)
    const file = caFile(createAuthority('another CA').certificate)
    const { fetch } = outbound({ caFiles: [file] })
    const { code, message } = await failure(fetch(origin))
    expect(code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(message).toContain('--ca-file')
    writeFileSync(file, authority.certificate)
    expect((await fetch(origin)).status).toBe(200)
    writeFileSync(file, createAuthority('a third CA').certificate)
    expect((await failure(fetch(origin))).code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('fails for a certificate of another name, and for a CA file that is none', async () => {
    const origin = await server.https(certificate, ok)
    const caFiles = [caFile(authority.certificate)]
    const other = outbound({ caFiles }, resolvesTo('127.0.0.1', 4))
    const named = origin.replace('127.0.0.1', 'registry.example')
    expect((await failure(other.fetch(named))).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect((await failure(outbound({ caFiles: [`${folder()}/none`] }).fetch(origin))).code).toBe('ERR_CA_FILE')
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    expect((await failure(outbound({ caFiles: [caFile(broken)] }).fetch(origin))).code).toBe('ERR_CA_FILE')
  })
})

describe('a redirect', () => {
  test('is followed on the same server, where a POST becomes a GET unless it is to stay one', async () => {
    const origin = await server.http((request, response) => {
      if (request.url === '/302') response.writeHead(302, { location: '/end' }).end()
      else if (request.url === '/307') response.writeHead(307, { location: `${origin}/end` }).end()
      else response.end(`${request.method} ${request.headers['content-type']} ${request.headers.authorization}`)
    })
    const init = { method: 'POST', body: 'text', headers: { authorization: 'Basic eA==', 'content-type': 'a/b' } }
    const { fetch } = outbound()
    expect(await (await fetch(`${origin}/302`, init)).text()).toBe('GET undefined Basic eA==')
    expect(await (await fetch(`${origin}/307`, init)).text()).toBe('POST a/b Basic eA==')
    expect((await fetch(`${origin}/302`, { redirect: 'manual' })).status).toBe(302)
  })

  test.each([
    ['DELETE', 301, 'DELETE'],
    ['PATCH', 302, 'PATCH'],
    ['DELETE', 303, 'GET'],
    ['HEAD', 303, 'HEAD'],
  ])('of a %s by %d becomes a %s, so that what was not done does not look done', async (method, status, then) => {
    const methods: (string | undefined)[] = []
    const origin = await server.http((request, response) => {
      methods.push(request.method)
      if (request.url === '/') response.writeHead(status, { location: '/end' }).end()
      else response.end()
    })
    await outbound().fetch(origin, { method })
    expect(methods).toEqual([method, then])
  })

  test('to another server, in circles, or with a user in it is not', async () => {
    const asked: (string | undefined)[] = []
    const elsewhere = await server.http((request, response) => {
      asked.push(request.headers.authorization)
      response.end()
    })
    const origin = await server.http((request, response) => {
      const { searchParams } = new URL(request.url ?? '', origin)
      response.writeHead(302, { location: searchParams.get('to') ?? request.url }).end()
    })
    const { fetch } = outbound()
    const to = (url: string) =>
      failure(fetch(`${origin}/?to=${encodeURIComponent(url)}`, { headers: { authorization: 'Basic eA==' } }))
    expect(await to(elsewhere)).toMatchObject({ code: 'ERR_REDIRECT', host: new URL(origin).host })
    expect(await to(origin.replace('http:', 'https:'))).toMatchObject({ code: 'ERR_REDIRECT' })
    expect(await to(origin.replace('//', '//a:b@'))).toMatchObject({ code: 'ERR_REDIRECT' })
    expect(await to('http://[')).toMatchObject({ code: 'ERR_REDIRECT' })
    expect(await failure(fetch(origin))).toMatchObject({ code: 'ERR_REDIRECT' })
    expect(asked).toEqual([])
  })
})

describe('a metadata server', () => {
  test.each([
    '169.254.169.254',
    '169.254.170.2',
    '0xa9fea9fe',
    '[fe80::1]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::169.254.169.254]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '100.100.100.200',
    '168.63.129.16',
    'metadata.google.internal',
    'METADATA.google.internal.',
  ])('is not asked as %s, with TLS or without', async (host) => {
    const { fetch } = outbound({ insecureHosts: [host] })
    for (const scheme of ['http', 'https'])
      expect(await failure(fetch(`${scheme}://${host}/latest/meta-data`))).toMatchObject({ code: 'ERR_ADDRESS' })
  })

  test.each([
    ['169.254.169.254', 4],
    ['::ffff:169.254.169.254', 6],
    ['fe80::1%eth0', 6],
    ['fd00:ec2::254', 6],
  ])('is not asked by a name that has the address %s', async (address, family) => {
    for (const send of [
      outbound({}, resolvesTo(address, family)).fetch,
      outbound({}, resolvesTo(address, family)).metadataFetch,
    ])
      expect(await failure(send('https://registry.example/v2/'))).toMatchObject({
        code: 'ERR_ADDRESS',
        host: 'registry.example',
      })
  })

  test('is asked by metadataFetch, without TLS and without a proxy', async () => {
    const proxy = await startConnectProxy()
    const { metadataFetch, fetch } = outbound({ env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } })
    // Nobody has this address; what counts is that it was tried.
    const cut = AbortSignal.timeout(500)
    const tried = await metadataFetch('http://[fe80::1]:8080/', { signal: cut }).catch((error) => error)
    expect(['ERR_ADDRESS', 'ERR_INSECURE', 'ERR_PROXY']).not.toContain(tried.code)
    expect(proxy.tunnels).toEqual([])
    expect(await failure(metadataFetch('http://registry.example/'))).toMatchObject({ code: 'ERR_INSECURE' })
    expect(await failure(fetch('http://[fe80::1]:8080/'))).toMatchObject({ code: 'ERR_ADDRESS' })
    await proxy.close()
  })
})

describe('a proxy', () => {
  test('of the environment is used, and what it refuses is its fault', async () => {
    // The final dot makes it another name than the one that no proxy is used for.
    const origin = (await server.https(certificate, ok)).replace('127.0.0.1', 'localhost.')
    const tunnels: string[] = []
    const strict = await startConnectProxy('Basic YTpi')
    const caFiles = [caFile(authority.certificate)]
    const by = (HTTPS_PROXY: string) => outbound({ caFiles, env: { HTTPS_PROXY } }).fetch(origin)
    expect((await by(await server.proxy(tunnels))).status).toBe(200)
    expect(tunnels).toEqual([new URL(origin).host])
    const refused = { code: 'ERR_PROXY', host: new URL(origin).host }
    expect(await failure(by(strict.url))).toMatchObject(refused)
    await strict.close()
    expect(await failure(by(strict.url))).toMatchObject(refused)
    for (const broken of ['ftp://user:secret@proxy', 'http://user:secret@proxy:port']) {
      expect(await failure(by(broken))).toEqual({ ...refused, message: expect.not.stringContaining('secret') })
    }
  })

  test('that would rather have HTTP/2 is spoken to by HTTP/1.1', async () => {
    const spoken = new Set<unknown>()
    const { certificate: cert, key } = certificate
    const proxy = createTlsServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      spoken.add(socket.alpnProtocol)
      socket.destroy()
    })
    const env = { HTTPS_PROXY: `https://${await server.listen(proxy)}` }
    await failure(outbound({ caFiles: [caFile(authority.certificate)], env }).fetch('https://registry.example'))
    expect(spoken).toEqual(new Set(['http/1.1']))
  })
})

describe('time', () => {
  test('is limited: for a server that drips, one that does not answer, and one that does not finish TLS', async () => {
    const drips = await server.http((_, response) => {
      const drip = setInterval(() => response.write('x'), 200)
      response.on('close', () => clearInterval(drip))
    })
    const silent = await server.http(() => undefined)
    const noTls = await server.listen(createServer())
    const { fetch } = outbound()
    const failures = await Promise.all([drips, silent, `https://${noTls}`].map((url) => failure(fetch(url))))
    expect(failures.map(({ code }) => code)).toEqual(['ETIMEDOUT', 'ETIMEDOUT', 'ETIMEDOUT'])
  })

  test("is also the caller's: its reason is thrown", async () => {
    const cut = new AbortController()
    const reason = new Error('no longer the leader')
    const origin = await server.http(() => cut.abort(reason))
    const { fetch } = outbound()
    await expect(fetch(origin, { signal: cut.signal })).rejects.toBe(reason)
    await expect(fetch(origin, { signal: cut.signal })).rejects.toBe(reason)
    await expect(fetch(new Request(origin, { signal: cut.signal }))).rejects.toBe(reason)
  })
})

describe('an error', () => {
  test('never quotes the path, the query, the user or a header', async () => {
    const [free] = await freePorts(1)
    const { fetch } = outbound()
    const failures = await Promise.all([
      failure(fetch('https://user:secret@registry.example/')),
      failure(fetch('https://[secret')),
      failure(fetch('ftp://registry.example/secret')),
      failure(fetch('http://127.0.0.1/', { headers: { authorization: 'Bearer secret\nsecret' } })),
      failure(fetch(`http://127.0.0.1:${free}/secret?secret`)),
    ])
    expect(failures.map(({ code }) => code)).toEqual([...Array(4).fill('ERR_INVALID_REQUEST'), 'ECONNREFUSED'])
    expect(JSON.stringify(failures)).not.toContain('secret')
  })
})
