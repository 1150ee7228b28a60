/**
 * From what a source gives to docker config entries under canonical keys. Stricter than the kubelet: one entry that it
 * cannot read makes it refuse all pull Secrets of a pod, so nothing doubtful is ever passed on.
 */
import { bytesOf, type Entries, type Entry, maxSecretBytes } from './docker-config.ts'
import { lookup } from './keyring.ts'
import { canonicalKey, KeyProblem, printableKey, wholeDockerHub } from './registry-key.ts'

/** What a source gives: one login that does not say where it is good for, or docker config keys in any spelling. */
export type Given = { login: Entry } | { entries: Entries }

/** Why what was given cannot be used, as the end of a sentence about it. Never quotes it. */
export class GivenProblem extends Error {
  override name = 'GivenProblem'
  readonly reason: 'SourceInvalid' | 'RegistriesRequired'

  constructor(reason: GivenProblem['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** What `status.credential.registries` can hold. */
const maxEntries = 1024

/**
 * @param registries `spec.registries`: for one login the keys it is for; else the keys wanted, each with the entry that
 *   the kubelet would use for images under it. Undefined or empty: all that is given
 * @throws GivenProblem
 */
export function entriesOf(given: Given, registries: readonly string[] | undefined): Entries {
  const wanted =
    registries?.length === 0
      ? undefined
      : registries?.map((registry, index) => canonical(registry, `spec.registries[${index}]`))
  const entries = 'login' in given ? spread(checked(given.login, 'it'), wanted) : choose(read(given.entries), wanted)
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

function read(given: Entries): Entries {
  const entries = new Map<string, Entry>()
  for (const [index, [key, entry]] of [...given].entries()) {
    const name = `entry ${printableKey(key) ?? `number ${index + 1}`}`
    const canonicalName = canonical(key, name)
    if (entries.has(canonicalName)) throw invalid(`${name} stands there twice, in two spellings of ${canonicalName}`)
    entries.set(canonicalName, checked(entry, name))
  }
  return entries
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
    throw new GivenProblem(
      'RegistriesRequired',
      'it gives only a username and a password; name the registries they are for in spec.registries',
    )
  }
  return new Map(wanted.map((key) => [key, entry]))
}

/** What all images under the key start with: an entry that matches it is for all of them, wildcards of the key included. */
function imagesUnder(key: string): string {
  const name = key.replace(wholeDockerHub, 'docker.io')
  return name.includes('/') ? name : `${name}/`
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

function invalid(message: string): GivenProblem {
  return new GivenProblem('SourceInvalid', message)
}
