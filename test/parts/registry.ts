/** A real registry, distribution's, which keeps its images in memory. */
import { readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import type { Certificate } from '../cluster/certificates.ts'
import { startPart } from './part-server.ts'
import { partDir } from './parts.ts'

/** User → password. */
export type Passwords = Record<string, string>

/** Whose tokens a registry believes: those of this issuer for this service, signed by one of these keys. */
export interface TokenTrust {
  /** URL at which its users get tokens. */
  realm: string
  service: string
  issuer: string
  /** RFC 7517. */
  jwks: { keys: object[] }
}

export interface RegistryOptions {
  /** Basic authentication or tokens; without, anybody may read and write everything. */
  auth?: { htpasswd: Passwords } | { token: TokenTrust }
  /** Without, it speaks plain HTTP. */
  tls?: Certificate
  /** It writes down each request, for `requests`. */
  accessLog?: boolean
}

export interface RegistryRequest {
  method: string
  path: string
  /** Of the answer. */
  status: number
  userAgent: string
}

export interface Registry {
  /** As in the name of an image: `127.0.0.1:PORT`. */
  host: string
  /** `http://` or `https://` and the host. */
  url: string
  /** Folder with its configuration and its log; gone after the end. */
  dir: string
  /** The users from the next request on, instead of all that it had; of use with `auth.htpasswd` only. */
  setHtpasswd(users: Passwords): Promise<void>
  /** Those that it has answered so far; none without `accessLog`. */
  requests(): Promise<RegistryRequest[]>
  stop(): Promise<void>
}

const HTPASSWD = 'htpasswd'
/** As part-server.ts calls it. */
const LOG = 'registry.log'
/** The lowest that bcrypt has: these passwords are worth nothing. */
const BCRYPT_COST = 4

/** The registry reads the file again whenever its time has changed: each version gets one that no other has. */
async function writeHtpasswd(dir: string, users: Passwords, version: number): Promise<void> {
  const lines = Object.entries(users).map(async ([user, password]) => `${user}:${await hash(password, BCRYPT_COST)}\n`)
  const next = join(dir, `${HTPASSWD}.next`)
  await writeFile(next, (await Promise.all(lines)).join(''), { mode: 0o600 })
  await utimes(next, version, version)
  await rename(next, join(dir, HTPASSWD))
}

/** Of a log in the combined format of Apache. */
function requestsIn(log: string): RegistryRequest[] {
  const lines = log.matchAll(/^\S+ - .* \[.*\] "(\S+) (\S+) \S+" (\d+) \d+ ".*" "(.*)"$/gm)
  return [...lines].map(([, method = '', path = '', status, userAgent = '']) => {
    return { method, path, status: Number(status), userAgent }
  })
}

/** Writes all files of the registry, and gives its arguments. */
async function configure(
  dir: string,
  port: number,
  { auth, tls, accessLog = false }: RegistryOptions,
): Promise<string[]> {
  const write = (name: string, content: string): Promise<void> => writeFile(join(dir, name), content, { mode: 0o600 })
  const http: Record<string, unknown> = { addr: `127.0.0.1:${port}`, secret: 'of no use to anybody' }
  if (tls !== undefined) {
    await write('tls.crt', tls.certificate)
    await write('tls.key', tls.key)
    http.tls = { certificate: 'tls.crt', key: 'tls.key' }
  }
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: !accessLog } },
    storage: { inmemory: {}, delete: { enabled: true }, maintenance: { uploadpurging: { enabled: false } } },
    http,
  }
  if (auth !== undefined && 'token' in auth) {
    await write('jwks.json', JSON.stringify(auth.token.jwks))
    config.auth = { token: { ...auth.token, jwks: 'jwks.json' } }
  } else if (auth !== undefined) {
    await writeHtpasswd(dir, auth.htpasswd, 0)
    config.auth = { htpasswd: { realm: 'basic-realm', path: HTPASSWD } }
  }
  // JSON is YAML.
  await write('config.yml', JSON.stringify(config))
  return ['serve', 'config.yml']
}

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { dir, port, stop } = await startPart({
    name: 'registry',
    binary: join(partDir('registry'), 'registry'),
    configure: (dir, port) => configure(dir, port, options),
    // Else it sends its traces to port 4318 of this machine, and fills its log with what it thinks of the answer.
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  const host = `127.0.0.1:${port}`
  let version = 0
  return {
    host,
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    dir,
    setHtpasswd: (users) => writeHtpasswd(dir, users, ++version),
    requests: async () => requestsIn(await readFile(join(dir, LOG), 'utf8')),
    stop,
  }
}
