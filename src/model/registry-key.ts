/**
 * The canonical spelling of docker config keys. The kubelet silently ignores a key in a spelling it does not know
 * (`keyring.ts`), and a path without a final slash also matches `acme-evil`; so every key is brought to the one form
 * that works before it is compared, merged or written.
 */

/** What Docker Hub is called in the wild. The kubelet knows only `docker.io` and, as a fallback, `index.docker.io`. */
export const dockerHubHosts: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'hub.docker.com',
])

/** All of Docker Hub, spelled as `kubectl create secret docker-registry` and the tools outside Kubernetes do. */
export const wholeDockerHub = 'https://index.docker.io/v1/'

/** As in the schema of `spec.registries`; the final slash that an owner gets comes on top. */
const maxLength = 253

/** Registries whose first path segment is always an owner and never an image. */
export const ownerFirst: ReadonlySet<string> = new Set([
  'docker.io',
  'ghcr.io',
  'quay.io',
  'registry.gitlab.com',
  'public.ecr.aws',
])

/** Why a key cannot be used, as the end of a sentence that starts with the key. */
export class KeyProblem extends Error {
  override name = 'KeyProblem'
}

/**
 * `docker.io/acme` → `docker.io/acme/`, `https://GHCR.io/v2/` → `ghcr.io`, any whole Docker Hub → `https://index.docker.io/v1/`.
 * @throws KeyProblem when the kubelet could never match the key. Its message does not quote the key.
 */
export function canonicalKey(key: string): string {
  if (key.replace(/\/$/, '').length > maxLength) throw new KeyProblem(`is longer than ${maxLength} characters`)
  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(key) ?? []
  if (scheme !== undefined && !/^https?$/i.test(scheme)) throw new KeyProblem('has a scheme other than https://')
  if (rest.includes('@')) throw new KeyProblem('names a user or a digest; only a registry and a path belong here')
  const [, rawHost = '', port = '', rawPath = ''] = /^(\[[^\]]*\]|[^/:]*)(:[^/]*)?(\/.*)?$/s.exec(rest) ?? []
  const host = checkedHost(rawHost.toLowerCase())
  if (port !== '' && !/^:\d{1,5}$/.test(port)) throw new KeyProblem('has a port that is not a number')
  if (port === '' && host.startsWith('['))
    throw new KeyProblem('is an IPv6 address without a port, which the kubelet never matches')
  const path = checkedPath(rawPath.toLowerCase())
  if (dockerHubHosts.has(host) && port === '')
    return path === '' ? wholeDockerHub : `docker.io${owned('docker.io', path)}`
  return `${host}${port}${owned(host + port, path)}`
}

/**
 * The key if it is safe to print, which is if it looks like `host[:port][/path]`: a stray one may hold a password
 * (`https://user:password@host`, `user:password`). Up to five digits behind the colon look like a port, whoever meant them.
 */
export function printableKey(key: string): string | undefined {
  const plain = /^(https?:\/\/)?(\[[0-9a-f:.]+\]|[\w.*-]+)(:\d{1,5})?(\/[\w./-]*)?$/i
  return key.length <= maxLength && plain.test(key) ? key : undefined
}

function checkedHost(host: string): string {
  if (/^\[[0-9a-f:.]+\]$/.test(host)) return host
  const label = /^[a-z0-9*]([-a-z0-9_*]*[a-z0-9*])?$/ // no `?`: it would start a query
  if (host === '') throw new KeyProblem('has no registry host')
  if (!host.split('.').every((part) => label.test(part))) throw new KeyProblem('is not a registry host')
  return host
}

/** The path without the API version that docker writes (`/v1/`, `/v2`); '' when nothing is left. */
function checkedPath(path: string): string {
  const rest = path.replace(/^\/v[12](?=\/|$)/, '').replace(/^\/$/, '')
  if (/^\/v[12](\/|$)/.test(rest))
    throw new KeyProblem('has a path that starts with v1 or v2, which the kubelet takes for an API version')
  if (/[*?]/.test(rest)) throw new KeyProblem('has a wildcard in its path; the kubelet knows them in the host only')
  if (rest.includes(':')) throw new KeyProblem('has a tag; credentials are chosen by repository')
  const segment = /^[a-z0-9]+([._-]+[a-z0-9]+)*$/
  const segments = rest.replace(/^\//, '').replace(/\/$/, '').split('/')
  if (rest !== '' && !segments.every((part) => segment.test(part)))
    throw new KeyProblem('has a path that is no repository path')
  return rest
}

/** `/acme` → `/acme/` where the first segment is an owner, so that `/acme-evil/app` is not matched. */
function owned(host: string, path: string): string {
  return ownerFirst.has(host) && /^\/[^/]+$/.test(path) ? `${path}/` : path
}
