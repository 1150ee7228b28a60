/**
 * From a source Secret to docker config entries. Stricter than the kubelet: one entry that it cannot read makes it
 * refuse all pull Secrets of a pod, so nothing doubtful is ever passed on. Messages name the entry, never its content.
 */
import { dockerConfigJsonKey } from '../api/names.ts'
import {
  bytesOf,
  DockerConfigProblem,
  decodeBase64,
  type Entries,
  type Entry,
  maxSecretBytes,
  parseDockerCfg,
  parseDockerConfigJson,
} from './docker-config.ts'
import { lookup } from './keyring.ts'
import { canonicalKey, KeyProblem, printableKey, wholeDockerHub } from './registry-key.ts'

/** Under which key a type of Secret holds its docker config. */
const dockerConfigFields = {
  'kubernetes.io/dockerconfigjson': dockerConfigJsonKey,
  'kubernetes.io/dockercfg': '.dockercfg',
}

/** What `status.credential.registries` can hold. */
const maxEntries = 1024

export interface SourceSecret {
  type: string
  /** Values in base64, as the API has them. */
  data: Readonly<Record<string, string>>
}

/** Why a source gives no usable credentials. The message is fit for a condition. */
export class SourceProblem extends Error {
  override name = 'SourceProblem'
  readonly reason: 'SourceNotFound' | 'SourceInvalid' | 'RegistriesRequired'

  constructor(reason: SourceProblem['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * The entries of a source Secret under canonical keys.
 * @param registries `spec.registries`: for a Secret with one username and password the keys it is for; for a docker
 *   config the keys wanted, each with the entry that the kubelet would use for images under it
 * @throws SourceProblem
 */
export function entriesOf(secret: SourceSecret, registries: readonly string[] | undefined): Entries {
  const wanted =
    registries?.length === 0
      ? undefined
      : registries?.map((registry, index) => canonical(registry, `spec.registries[${index}]`))
  const entries = chosen(secret, wanted)
  if (entries.size > maxEntries) {
    throw invalid(
      `it gives more than ${maxEntries} entries; take fewer of them by spec.registries, or use several Secrets`,
    )
  }
  // What is written has each login twice, as auth and in its parts, and so outgrows a source that is within the limit.
  if (bytesOf(entries) > maxSecretBytes) {
    throw invalid(
      'its entries make a pull Secret of more than 1 MiB, which the API server refuses; take fewer of them by spec.registries, or spread them over several credentials, each with its own secretName',
    )
  }
  return entries
}

function chosen(secret: SourceSecret, wanted: readonly string[] | undefined): Entries {
  switch (secret.type) {
    case 'kubernetes.io/dockerconfigjson':
      return choose(readDockerConfig(secret, dockerConfigFields[secret.type], parseDockerConfigJson), wanted)
    case 'kubernetes.io/dockercfg':
      return choose(readDockerConfig(secret, dockerConfigFields[secret.type], parseDockerCfg), wanted)
    case 'kubernetes.io/basic-auth':
    case 'Opaque':
      return spread(readLogin(secret), wanted)
    default:
      throw invalid(
        'its type is not one of kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/basic-auth, Opaque',
      )
  }
}

function readDockerConfig(secret: SourceSecret, field: string, parse: (text: string) => Entries): Entries {
  const text = read(secret, field)
  if (text === undefined) throw invalid(`it has no key ${field}`)
  const entries = new Map<string, Entry>()
  for (const [index, [key, entry]] of [...parsed(text, field, parse)].entries()) {
    const name = `entry ${printableKey(key) ?? `number ${index + 1}`} in ${field}`
    const canonicalName = canonical(key, name)
    if (entries.has(canonicalName)) throw invalid(`${name} stands there twice, in two spellings of ${canonicalName}`)
    entries.set(canonicalName, checked(entry, name))
  }
  if (entries.size === 0) {
    throw invalid(
      `${field} has no entries under auths; credentials kept in credsStore or credHelpers stay on that machine`,
    )
  }
  return entries
}

function parsed(text: string, field: string, parse: (text: string) => Entries): Entries {
  try {
    return parse(text)
  } catch (problem) {
    if (!(problem instanceof DockerConfigProblem)) throw problem
    const entry = problem.key === undefined ? '' : `entry ${printableKey(problem.key) ?? '(name not shown)'} in `
    throw invalid(`${entry}${field} cannot be read: ${problem.message}`)
  }
}

function readLogin(secret: SourceSecret): Entry {
  const [username, password] = ['username', 'password'].map((field) => {
    const value = read(secret, field)
    if (value === undefined) throw invalid(`it has no key ${field}; ${cureFor(secret)}`)
    return value
  })
  return checked({ username: username ?? '', password: password ?? '' }, 'it')
}

/** A docker config in a Secret of type Opaque is what `kubectl create secret generic --from-file` makes of it. */
function cureFor({ type, data }: SourceSecret): string {
  const fields = Object.entries(dockerConfigFields)
  const [meant, field] = fields.find(([, field]) => Object.hasOwn(data, field)) ?? []
  if (meant === undefined) return `type ${type} needs username and password`
  return `it holds ${field}, but is of type ${type}: create it anew as type ${meant}`
}

/** The docker config entries for the wanted keys, or all of them. */
function choose(entries: Entries, wanted: readonly string[] | undefined): Entries {
  if (wanted === undefined) return entries
  return new Map(
    wanted.map((key) => {
      const entry =
        entries.get(key) ?? lookup([[...entries].filter(([given]) => mayServe(given, key))], imagesUnder(key))[0]
      if (entry === undefined) throw invalid(`it has no entry for ${key}, which spec.registries asks for`)
      return [key, entry]
    }),
  )
}

/** The kubelet's fallback would send a Docker Hub login to `localhost` too; only who names Docker Hub gets it here. */
function mayServe(given: string, wanted: string): boolean {
  return given !== wholeDockerHub || wanted.startsWith('docker.io/')
}

/** One username and password under each wanted key. */
function spread(entry: Entry, wanted: readonly string[] | undefined): Entries {
  if (wanted === undefined) {
    throw new SourceProblem(
      'RegistriesRequired',
      'the source Secret has only a username and a password; name the registries they are for in spec.registries',
    )
  }
  return new Map(wanted.map((key) => [key, entry]))
}

/** What all images under the key start with: an entry that matches it is for all of them, wildcards of the key included. */
function imagesUnder(key: string): string {
  const name = key.replace(wholeDockerHub, 'docker.io')
  return name.includes('/') ? name : `${name}/`
}

function read(secret: SourceSecret, field: string): string | undefined {
  const value = Object.hasOwn(secret.data, field) ? secret.data[field] : undefined
  if (value === undefined) return undefined
  const text = decodeBase64(value)
  if (text === undefined) throw invalid(`${field} is not UTF-8 text`)
  return text
}

function checked(entry: Entry, name: string): Entry {
  if (entry.username === '' || entry.password === '') {
    throw invalid(`${name} lacks a username or a password; the kubelet does not use identity tokens`)
  }
  if (hasControlCharacter(entry.username + entry.password)) {
    throw invalid(
      `${name} has a line break or control character in its username or password (made by echo without -n?)`,
    )
  }
  if (entry.username.includes(':')) throw invalid(`${name} has a colon in its username, where the kubelet would cut it`)
  return entry
}

function canonical(key: string, name: string): string {
  try {
    return canonicalKey(key)
  } catch (problem) {
    if (problem instanceof KeyProblem) throw invalid(`${name} ${problem.message}`)
    throw problem
  }
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}

function invalid(message: string): SourceProblem {
  return new SourceProblem('SourceInvalid', message)
}
