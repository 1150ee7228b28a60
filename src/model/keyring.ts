/**
 * The kubelet's keyring as a pure function: which credentials it tries for an image, and in which order.
 * Source: kubernetes `pkg/credentialprovider/keyring.go` (`Add`, `Lookup`, `URLsMatch`, `isDefaultRegistryMatch`), v1.37.
 */
import { matchesGlob } from './glob.ts'

/** One docker config key as the kubelet's `Add` understands it. */
export interface ParsedKey {
  /** host[:port][/path]: what keys are sorted, deduplicated and compared by. */
  effective: string
  /** The host's labels; each may be a glob. */
  labels: readonly string[]
  port: string
  path: string
}

/** Docker Hub's key. Used only for images that no other key matched. */
const defaultRegistryKey = 'index.docker.io'

/** The key as the kubelet sees it, or undefined where Go's `url.Parse` fails and the kubelet drops the entry. */
export function parseKey(key: string): ParsedKey | undefined {
  const url = parseUrl(key.replace(/^https?:\/\//, ''))
  if (url === undefined) return undefined
  const path = /^\/v[12]\//.test(url.path) ? url.path.slice(3) : url.path
  const effective = url.host + (path === '/' ? '' : path)
  const again = parseUrl(effective) // `Lookup` parses what `Add` made of the key
  return again && { effective, ...split(again.host, again.path) }
}

/** Tells whether a keyring that holds only this key returns it for this image (a normalised repository name, no tag). */
export function keyMatchesImage(key: string, image: string): boolean {
  return lookup([[[key, true]]], image).length > 0
}

/**
 * The credentials the kubelet tries, in its order.
 * @param secrets the pod's pull Secrets in the order of `imagePullSecrets`, each a list of docker config key and entry
 * @param image normalised repository name without tag or digest, such as `docker.io/library/nginx`
 */
export function lookup<Entry>(secrets: readonly (readonly (readonly [string, Entry])[])[], image: string): Entry[] {
  const keyring = new Map<string, { key: ParsedKey; entries: Entry[] }>()
  for (const [name, entry] of secrets.flat()) {
    const key = parseKey(name)
    if (key === undefined) continue
    const known = keyring.get(key.effective)
    if (known) known.entries.push(entry)
    else keyring.set(key.effective, { key, entries: [entry] })
  }
  const matching = [...keyring.values()].filter(({ key }) => keyMatches(key, image))
  if (matching.length === 0 && fallsBackToDockerHub(image)) return keyring.get(defaultRegistryKey)?.entries ?? []
  return matching
    .sort((a, b) => (a.key.effective < b.key.effective ? 1 : -1)) // reverse lexical: a longer path comes first
    .flatMap(({ entries }) => entries)
}

function keyMatches(key: ParsedKey, image: string): boolean {
  const url = parseUrl(image)
  if (url === undefined) return false
  const target = split(url.host, url.path)
  return (
    key.port === target.port &&
    key.labels.length === target.labels.length &&
    target.path.startsWith(key.path) && // a plain string prefix: `/acme` also matches `/acmeevil/app`
    !key.labels[0]?.startsWith('[') && // an IPv6 address without a port is taken for a character class
    key.labels.every((glob, i) => matchesGlob(glob, target.labels[i] ?? '')) // Go's filepath.Match
  )
}

/** `localhost/x` counts as Docker Hub, since its first part has neither dot nor colon. */
function fallsBackToDockerHub(image: string): boolean {
  const slash = image.indexOf('/')
  if (slash < 0) return true
  const first = image.slice(0, slash)
  if (first === '') return false
  return first === 'docker.io' || first === defaultRegistryKey || !/[.:]/.test(first)
}

function split(host: string, path: string): Omit<ParsedKey, 'effective'> {
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(host)
  const name = parts?.[1] ?? parts?.[2] ?? host
  return { labels: name.split('.'), port: parts?.[3] ?? '', path }
}

/** What Go's `url.Parse("https://" + text)` makes of the text: userinfo, query and fragment are cut off. */
function parseUrl(text: string): { host: string; path: string } | undefined {
  const [, authority = '', rest = '', fragment = ''] = /^([^/?#]*)([^?#]*)(?:\?[^#]*)?(.*)$/s.exec(text) ?? []
  const [, user = '', host = ''] = /^(?:(.*)@)?(.*)$/s.exec(authority) ?? []
  if (hasControlCharacter(text) || !isUser(user) || !isHost(host)) return undefined
  try {
    decodeURIComponent(user + fragment) // cut off, but a wrong escape in them is an error all the same
    return { host, path: decodeURIComponent(rest) }
  } catch {
    return undefined
  }
}

function isUser(user: string): boolean {
  return /^[\w.~!$&'()*+,;=:%@-]*$/.test(user)
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return /^\[[^\]]*\](:\d*)?$/.test(host)
  return /^[^\s<>"\\^`{|}%[\]]*$/.test(host) && /^[^:]*(:\d*)?$/.test(host)
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}
