/** Source Secrets by hand, and the table of those that are refused. */
import { encodeBase64, formatDockerConfigJson, maxSecretBytes } from '../../src/model/docker-config.ts'
import type { SourceSecret } from '../../src/model/source-secret.ts'

export function source(type: string, data: Record<string, string>): SourceSecret {
  return { type, data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, encodeBase64(text)])) }
}

/** @param text the bytes of `.dockerconfigjson` */
export function dockerConfigText(text: string): SourceSecret {
  return source('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': text })
}

export function dockerConfig(auths: unknown): SourceSecret {
  return dockerConfigText(JSON.stringify({ auths }))
}

export function login(username: string, password: string, type = 'kubernetes.io/basic-auth'): SourceSecret {
  return source(type, { username, password })
}

interface Refused {
  what: string
  secret: SourceSecret
  /** Undefined: none are asked for. */
  registries?: string[]
  says: string
}

const good = { auth: 'dTpw' }
const field = '.dockerconfigjson'
const illegal = 'illegal base64 data at input byte 0'
const tooLarge =
  'its entries make a pull Secret of more than 1 MiB, which the API server refuses; take fewer of them by spec.registries, or spread them over several credentials, each with its own secretName'
const noEntries = `${field} has no entries under auths; credentials kept in credsStore or credHelpers stay on that machine`
const lacks = 'lacks a username or a password; the kubelet does not use identity tokens'
const control = 'has a line break or control character in its username or password (made by echo without -n?)'
const colon = 'has a colon in its username, where the kubelet would cut it'

/** Entries for r0.io, r1.io and so on. */
export function many(count: number): Record<string, typeof good> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}.io`, good]))
}

/** An entry for ghcr.io that makes a pull Secret of so many bytes, which are more than its characters. */
export function sized(bytes: number): typeof good & { email: string } {
  const written = formatDockerConfigJson(new Map([['ghcr.io', { username: 'u', password: 'p', email: 'ü' }]]))
  return { ...good, email: `ü${'x'.repeat(bytes - Buffer.byteLength(written))}` }
}

const refusedConfigs: Refused[] = [
  {
    what: 'another type',
    secret: { type: 'kubernetes.io/tls', data: {} },
    says: 'its type is not one of kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/basic-auth, Opaque',
  },
  { what: 'no docker config', secret: source('kubernetes.io/dockerconfigjson', {}), says: `it has no key ${field}` },
  { what: 'no legacy config', secret: source('kubernetes.io/dockercfg', {}), says: 'it has no key .dockercfg' },
  {
    what: 'text that is not UTF-8',
    secret: { type: 'kubernetes.io/dockerconfigjson', data: { [field]: '/w==' } },
    says: `${field} is not UTF-8 text`,
  },
  { what: 'text that is no JSON', secret: dockerConfigText('{'), says: `${field} cannot be read: invalid JSON` },
  {
    what: 'an entry that is no object',
    secret: dockerConfig({ 'ghcr.io': 'x' }),
    says: `entry ghcr.io in ${field} cannot be read: json: cannot unmarshal string`,
  },
  {
    what: 'an entry with a wrong auth',
    secret: dockerConfig({ 'ghcr.io': { auth: '!' } }),
    says: `entry ghcr.io in ${field} cannot be read: ${illegal}`,
  },
  {
    what: 'an unreadable entry whose name may hold a password',
    secret: dockerConfig({ 'https://u:p@ghcr.io': { auth: '!' } }),
    says: `entry (name not shown) in ${field} cannot be read: ${illegal}`,
  },
  {
    what: 'a key that is longer than any registry',
    secret: dockerConfig({ [`${'a'.repeat(253)}.io`]: good }),
    says: `entry number 1 is longer than 253 characters`,
  },
  {
    what: 'more entries than the status can name',
    secret: dockerConfig(many(1025)),
    says: 'it gives more than 1024 entries; take fewer of them by spec.registries, or use several Secrets',
  },
  {
    what: 'a docker config that makes a pull Secret of one byte too many',
    secret: dockerConfig({ 'ghcr.io': sized(maxSecretBytes + 1) }),
    says: tooLarge,
  },
  {
    what: 'a login for localhost that would be that of Docker Hub',
    secret: dockerConfig({ 'https://index.docker.io/v1/': good }),
    registries: ['localhost'],
    says: 'it has no entry for localhost, which spec.registries asks for',
  },
  { what: 'no entries', secret: dockerConfig({}), says: noEntries },
  {
    what: 'a credential helper',
    secret: dockerConfigText('{"credHelpers":{"a.io":"ecr-login"}}'),
    says: noEntries,
  },
  {
    what: 'a key that the kubelet ignores',
    secret: dockerConfig({ 'ghcr.io/*/app': good }),
    says: `entry number 1 has a wildcard in its path; the kubelet knows them in the host only`,
  },
  {
    what: 'a key with a user',
    secret: dockerConfig({ 'a.io': good, 'u:p@b.io': good }),
    says: `entry number 2 names a user or a digest; only a registry and a path belong here`,
  },
  {
    what: 'a login in place of a key',
    secret: dockerConfig({ 'robot:secret': good }),
    says: `entry number 1 has a port that is not a number`,
  },
  {
    what: 'an unreadable entry with a login in place of its key',
    secret: dockerConfig({ 'robot:secret': 'x' }),
    says: `entry (name not shown) in ${field} cannot be read: json: cannot unmarshal string`,
  },
  {
    what: 'one key in two spellings',
    secret: dockerConfig({ 'ghcr.io': good, 'https://ghcr.io/': good }),
    says: `entry https://ghcr.io/ stands there twice, in two spellings of ghcr.io`,
  },
  {
    what: 'an identity token',
    secret: dockerConfig({ 'ghcr.io': { username: 'u', identitytoken: 't' } }),
    says: `entry ghcr.io ${lacks}`,
  },
  { what: 'an empty entry', secret: dockerConfig({ 'ghcr.io': null }), says: `entry ghcr.io ${lacks}` },
  {
    what: 'a password that ends in a line break',
    secret: dockerConfig({ 'ghcr.io': { username: 'u', password: 'p\n' } }),
    says: `entry ghcr.io ${control}`,
  },
  {
    what: 'a username with a colon',
    secret: dockerConfig({ 'ghcr.io': { username: 'a:b', password: 'p' } }),
    says: `entry ghcr.io ${colon}`,
  },
]

const registries = ['ghcr.io']

const refusedLogins: Refused[] = [
  {
    what: 'a login without a username',
    secret: source('Opaque', { password: 'p' }),
    registries,
    says: 'it has no key username; type Opaque needs username and password',
  },
  {
    what: 'a docker config that was made with the wrong type',
    secret: source('Opaque', { [field]: '{}' }),
    registries,
    says: `it has no key username; it holds ${field}, but is of type Opaque: create it anew as type kubernetes.io/dockerconfigjson`,
  },
  {
    what: 'a login without a password',
    secret: source('kubernetes.io/basic-auth', { username: 'u' }),
    registries,
    says: 'it has no key password; type kubernetes.io/basic-auth needs username and password',
  },
  { what: 'a login with an empty username', secret: login('', 'p'), registries, says: `it ${lacks}` },
  { what: 'a login with an empty password', secret: login('u', ''), registries, says: `it ${lacks}` },
  { what: 'a login with a control character', secret: login('u', 'p\u007f'), registries, says: `it ${control}` },
  { what: 'a login with a colon in its username', secret: login('a:b', 'p'), registries, says: `it ${colon}` },
  {
    what: 'a login that is not UTF-8',
    secret: { type: 'Opaque', data: { username: 'dQ==', password: '/w==' } },
    registries,
    says: 'password is not UTF-8 text',
  },
  {
    what: 'a login that is too long for so many registries',
    secret: login('u', 'p'.repeat(10_000)),
    registries: Object.keys(many(64)),
    says: tooLarge,
  },
  {
    what: 'a registry that the kubelet would ignore, named by its place in the spec and not by its text',
    secret: login('u', 'p'),
    registries: ['ghcr.io', 'u:p@quay.io'],
    says: 'spec.registries[1] names a user or a digest; only a registry and a path belong here',
  },
]

export const refused: Refused[] = [...refusedConfigs, ...refusedLogins]
