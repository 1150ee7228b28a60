/**
 * /metrics as config/ serves it: at an address that others can reach. Two replicas, of which the one that waits for its
 * turn is scraped too, on a control plane of their own, which goes away at the end.
 */
import { once } from 'node:events'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { freePorts } from '../cluster/ports.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { linesOf, runToEnd } from './program.ts'

const namespace = 'monitoring'
/** For a yes half a minute, and the machine may be slow. */
const forgotten = { timeoutMs: 120_000 }
const TEST_TIMEOUT_MS = 400_000

const folder = temporaryFolders()
const authority = createAuthority('test-metrics-ca')

let cluster: OwnedCluster
/** With a certificate of its own, and with one of `authority` in `certDir`. */
let selfSigned: RunningOperator
let certified: RunningOperator
let selfSignedPort: number
let certifiedPort: number
let certDir: string
const tokens: string[] = []

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  await cluster.kubectl('create', 'namespace', namespace)
  const [one = 0, other = 0] = await freePorts(2)
  selfSignedPort = one
  certifiedPort = other
  certDir = join(cluster.dir, 'metrics-certificate')
  writeCertificate('first')
  symlinkSync('..first', join(certDir, '..data'))
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(certDir, file))
  const start = (port: number, ...args: string[]) =>
    startOperator({
      cluster,
      replica: true,
      // Node itself refuses every write to a file: a key that is made here can be nowhere but in memory.
      command: [
        process.execPath,
        '--permission',
        '--allow-fs-read=*',
        '--disable-warning=ExperimentalWarning',
        'src/main.ts',
      ],
      args: ['--log-level=debug', `--metrics-bind-address=0.0.0.0:${port}`, ...args],
    })
  selfSigned = await start(selfSignedPort)
  certified = await start(certifiedPort, `--metrics-cert-dir=${certDir}`)
})

afterAll(async () => {
  await Promise.all([selfSigned.kill(), certified.kill()])
  await cluster.stop()
})

/** In the folder that the kubelet would make for a version of the Secret. */
function writeCertificate(name: string): void {
  const { certificate, key } = serverCertificate(authority, name)
  mkdirSync(join(certDir, `..${name}`), { recursive: true })
  writeFileSync(join(certDir, `..${name}`, 'tls.crt'), certificate)
  writeFileSync(join(certDir, `..${name}`, 'tls.key'), key)
}

interface Scraped {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
  /** The common name in the server's certificate. */
  server: string | string[] | undefined
}

/** On a connection of its own, so that it shows the certificate of now. */
async function scrape(port: number, token?: string, ca?: string): Promise<Scraped> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca }
  const outgoing = request({ host: '127.0.0.1', port, path: '/metrics', headers, agent: false, ...trust })
  outgoing.setTimeout(30_000, () => outgoing.destroy(new Error('no answer'))).end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const server = (incoming.socket as TLSSocket).getPeerCertificate().subject.CN
  const body = (await incoming.setEncoding('utf8').toArray()).join('')
  return { status: incoming.statusCode, headers: incoming.headers, body, server }
}

/** The token of a new ServiceAccount, with the right to read metrics or without. */
async function tokenOf(name: string, { bound }: { bound: boolean }): Promise<string> {
  await cluster.kubectl('create', 'serviceaccount', name, '-n', namespace)
  if (bound) {
    const subject = `--serviceaccount=${namespace}:${name}`
    await cluster.kubectl('create', 'clusterrolebinding', name, '--clusterrole=regcred-metrics-reader', subject)
  }
  const token = (await cluster.kubectl('create', 'token', name, '-n', namespace)).trim()
  tokens.push(token)
  return token
}

const allowed = async (port: number, token: string) =>
  eventually(async () => expect((await scrape(port, token)).status).toBe(200))

test('whoever has no token, or not the right, is refused and told nothing', async () => {
  for (const token of [undefined, 'made-up-token', await tokenOf('stranger', { bound: false })]) {
    const { status, headers, body } = await scrape(selfSignedPort, token)
    const known = tokens.includes(token ?? '')
    expect([status, body]).toEqual(known ? [403, 'forbidden\n'] : [401, 'unauthorized\n'])
    expect(headers['www-authenticate']).toBe(known ? undefined : 'Bearer')
  }
})

test('with regcred-metrics-reader both replicas are scraped, the one that works and the one that waits', async () => {
  const token = await tokenOf('prometheus', { bound: true })
  await eventually(async () => {
    const answers = await Promise.all([selfSignedPort, certifiedPort].map((port) => scrape(port, token)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    for (const { headers } of answers) expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    const leading = answers.map(({ body }) => /^leader_election_master_status\{.*\} (\d)$/m.exec(body)?.[1])
    expect(leading.sort()).toEqual(['0', '1'])
  })
})

test('plain HTTP gets no answer', async () => {
  await expect(fetch(`http://127.0.0.1:${selfSignedPort}/metrics`)).rejects.toThrow()
})

test('without a folder the certificate is of its own making, and nothing of it was written', async () => {
  expect((await scrape(selfSignedPort)).server).toBe('regcred-operator')
  await expect(scrape(selfSignedPort, undefined, authority.certificate)).rejects.toThrow(/self-signed/)
  expect(JSON.stringify(linesOf(selfSigned.logs()))).not.toContain('ERR_ACCESS_DENIED')
})

test('a certificate in the folder is shown, and the next one without a restart', async () => {
  expect((await scrape(certifiedPort, undefined, authority.certificate)).server).toBe('first')
  writeCertificate('second')
  symlinkSync('..second', join(certDir, '..data_tmp'))
  renameSync(join(certDir, '..data_tmp'), join(certDir, '..data'))
  await eventually(async () =>
    expect((await scrape(certifiedPort, undefined, authority.certificate)).server).toBe('second'),
  )
})

test('a folder without a certificate ends it at the start, and flag and file are named', async () => {
  const dir = folder()
  const args = [`--kubeconfig=${cluster.adminKubeconfig}`, '--health-probe-bind-address=0', `--metrics-cert-dir=${dir}`]
  const ended = await runToEnd([...args, '--metrics-bind-address=:0'])
  expect(ended.code).toBe(1)
  const message = expect.stringContaining(`--metrics-cert-dir: ${join(dir, 'tls.crt')} cannot be read (ENOENT)`)
  expect(linesOf(ended.stdout)).toEqual([expect.objectContaining({ error: expect.objectContaining({ message }) })])
})

test(
  'a token is of no use soon after its ServiceAccount was deleted, a right soon after its binding was',
  async () => {
    const leaver = await tokenOf('leaver', { bound: true })
    const demoted = await tokenOf('demoted', { bound: true })
    await Promise.all([leaver, demoted].map((token) => allowed(selfSignedPort, token)))
    await cluster.kubectl('delete', 'serviceaccount', 'leaver', '-n', namespace)
    await cluster.kubectl('delete', 'clusterrolebinding', 'demoted')
    await eventually(async () => expect((await scrape(selfSignedPort, leaver)).status).toBe(401), forgotten)
    await eventually(async () => expect((await scrape(selfSignedPort, demoted)).status).toBe(403), forgotten)
  },
  TEST_TIMEOUT_MS,
)

test(
  'without the API server nobody is let in, and afterwards who may is again',
  async () => {
    const token = await tokenOf('patient', { bound: true })
    const fresh = await tokenOf('late', { bound: true })
    await allowed(selfSignedPort, token)
    await cluster.apiserver.stop()
    try {
      expect((await scrape(selfSignedPort, fresh)).status).toBe(503)
      await eventually(async () => expect((await scrape(selfSignedPort, token)).status).toBe(503), forgotten)
    } finally {
      await cluster.apiserver.start()
    }
    await allowed(selfSignedPort, token)
    await allowed(selfSignedPort, fresh)
  },
  TEST_TIMEOUT_MS,
)

test('no token is in a log', () => {
  const logs = selfSigned.logs() + certified.logs()
  expect(logs).toContain('who may read /metrics cannot be found out')
  expect(tokens).toHaveLength(6)
  for (const token of [...tokens, 'made-up-token']) {
    for (const part of token.split('.')) expect(logs).not.toContain(part)
  }
})
