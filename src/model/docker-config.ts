/**
 * The content of pull Secrets: `.dockerconfigjson` as the kubelet reads it, and as we write it.
 * Source: kubernetes `pkg/credentialprovider/config.go` (`DockerConfigEntry.UnmarshalJSON`, `decodeDockerConfigFieldAuth`).
 */

/** What one docker config key gives. */
export interface Entry {
  username: string
  password: string
  email?: string
}

/** Bytes that the data of a Secret may have in all, before base64: `MaxSecretSize` in kubernetes `core/v1/types.go`. */
export const maxSecretBytes = 1024 * 1024

/** Docker config key → entry. */
export type Entries = ReadonlyMap<string, Entry>

/** Why the kubelet would refuse the document, and with it every pull Secret of the pod. Never quotes the document. */
export class DockerConfigProblem extends Error {
  override name = 'DockerConfigProblem'
  /** The docker config key whose entry is wrong; undefined when it is the document itself. Unchecked: print it with care. */
  readonly key: string | undefined

  constructor(reason: string, key?: string) {
    super(reason)
    this.key = key
  }
}

/** Reads the bytes of `.dockerconfigjson`. @throws DockerConfigProblem */
export function parseDockerConfigJson(text: string): Entries {
  const document = asObject(parseJson(text))
  const headers = asObject(field(document, 'HttpHeaders'))
  for (const value of Object.values(headers)) asString(value)
  return readAuths(field(document, 'auths'))
}

/** Reads the bytes of the legacy `.dockercfg`: the same map without the `auths` around it. @throws DockerConfigProblem */
export function parseDockerCfg(text: string): Entries {
  return readAuths(parseJson(text))
}

/**
 * The bytes of `.dockerconfigjson`: sorted by key, so that equal entries give equal bytes, and with both `auth` and
 * `username`/`password`, since the consumers outside the kubelet read one or the other.
 */
export function formatDockerConfigJson(entries: Entries): string {
  const auths = [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { username, password, email }]) => [
      key,
      { username, password, ...(email && { email }), auth: encodeBase64(`${username}:${password}`) },
    ])
  return JSON.stringify({ auths: Object.fromEntries(auths) })
}

/** How many bytes `formatDockerConfigJson` makes of them, in UTF-8 as `maxSecretBytes` counts them. */
export function bytesOf(entries: Entries): number {
  return new TextEncoder().encode(formatDockerConfigJson(entries)).length
}

/** Standard base64 of the text's UTF-8 bytes. */
export function encodeBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}

/** The text whose UTF-8 bytes are given in base64; undefined when it is not UTF-8 or not base64. */
export function decodeBase64(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function readAuths(auths: unknown): Entries {
  return new Map(Object.entries(asObject(auths)).map(([key, value]) => [key, readEntry(key, value)]))
}

function readEntry(key: string, value: unknown): Entry {
  try {
    const entry = asObject(value)
    const [username, password, email, auth] = ['username', 'password', 'email', 'auth'].map((name) =>
      asString(field(entry, name)),
    )
    const login = auth ? decodeAuth(auth) : { username: username ?? '', password: password ?? '' }
    return { ...login, ...(email && { email }) }
  } catch (problem) {
    throw problem instanceof DockerConfigProblem ? new DockerConfigProblem(problem.message, key) : problem
  }
}

/** Go's base64 skips line breaks, takes padded and unpadded text, and refuses the URL-safe alphabet. */
function decodeAuth(auth: string): Entry {
  const text = auth.replaceAll(/[\r\n]/g, '')
  const illegal = text.search(/[^A-Za-z0-9+/=]/)
  if (illegal >= 0) throw new DockerConfigProblem(`illegal base64 data at input byte ${illegal}`)
  const login = decodeBase64(text)
  if (login === undefined) throw new DockerConfigProblem('illegal base64 data')
  const colon = login.indexOf(':')
  if (colon < 0)
    throw new DockerConfigProblem('unable to parse auth field, must be formatted as base64(username:password)')
  return { username: login.slice(0, colon), password: login.slice(colon + 1) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DockerConfigProblem('invalid JSON') // JSON.parse's own message quotes the text
  }
}

/** Go matches field names without regard to case; the last one wins. */
function field(object: Record<string, unknown>, name: string): unknown {
  return Object.entries(object).findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
}

function asObject(value: unknown): Record<string, unknown> {
  if (value === null || value === undefined) return {}
  if (Array.isArray(value)) throw new DockerConfigProblem('json: cannot unmarshal array')
  if (typeof value !== 'object') throw new DockerConfigProblem(`json: cannot unmarshal ${jsonType(value)}`)
  return value as Record<string, unknown>
}

function asString(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  throw new DockerConfigProblem(`json: cannot unmarshal ${Array.isArray(value) ? 'array' : jsonType(value)}`)
}

function jsonType(value: unknown): string {
  return typeof value === 'boolean' ? 'bool' : typeof value
}
