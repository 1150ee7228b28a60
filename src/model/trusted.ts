/**
 * Which images come from trusted registries, as config/policies/trusted-registries says it in CEL;
 * test/admission/trusted-conformance.test.ts holds the two together.
 */
import { nameOf, parseImage } from './image.ts'

/** `sha256:…`, and in full without the algorithm: to the kubelet and the runtime an image that the node has, by its id. */
const imageId = /^(sha(256|384|512)(:.*)?|[0-9a-f]{64})$/
/** More than host, repository, tag and digest have together at most; what is longer costs the API server time. */
const maxLength = 1024

/**
 * The name that is compared with the list: `nginx:1` → `docker.io/library/nginx`, without tag and digest. Upper case in a
 * host is refused, though DNS does not mind: the mirrors and blocks that a node has for the host would not be looked at.
 * @returns '' for what the runtime cannot parse, or takes for something else than the name of an image in a registry
 */
export function trustedName(image: string): string {
  const parsed = image.length > maxLength || imageId.test(image) ? undefined : parseImage(image)
  if (parsed === undefined || /^[^/]*[A-Z][^/]*\//.test(image)) return ''
  return nameOf(parsed)
}

/**
 * The prefixes of a list: one a line, a comment behind `#`, blanks around it do not count, nor does a slash at its end. What
 * is not the beginning of a name (a scheme, a tag, a wildcard) stands for itself, and trusts nothing.
 */
export function readTrusted(text: string): string[] {
  return text
    .split('\n')
    .map((line) => (line.split('#')[0] ?? '').replace(blanksAround, '').replace(/\/$/, ''))
    .filter((prefix) => prefix !== '')
}

/** What CEL's `trim` takes off: `trim` of JavaScript knows U+FEFF as well, and U+0085 not. */
const blanksAround = /^(?:(?!\uFEFF)[\s\u0085])+|(?:(?!\uFEFF)[\s\u0085])+$/g

/**
 * A prefix ends where a part of the name does: `ghcr.io/acme` trusts `ghcr.io/acme/app`, and not `ghcr.io/acmeevil/app`.
 * @param prefixes as `readTrusted` gives them
 */
export function isTrusted(image: string, prefixes: readonly string[]): boolean {
  const name = trustedName(image)
  return name !== '' && prefixes.some((prefix) => `${name}/`.startsWith(`${prefix}/`))
}

/** Tells whether a prefix trusts anything: `https://ghcr.io` is the beginning of no name, nor is `nginx`, in full `docker.io/library/nginx`. */
export function trustsAny(prefix: string): boolean {
  return [prefix, `${prefix}/x`].some((image) => isTrusted(image, [prefix]))
}

/** Tells whether the image is named by what it holds, so that nobody can put another under its name. */
export function hasDigest(image: string): boolean {
  return parseImage(image)?.reference.startsWith('sha256:') ?? false
}
