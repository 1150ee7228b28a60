/** Names that become parts of paths at the API server, which would take `a/b` or `a?b` for something else. */
import { InvalidArgumentError } from 'commander'

/** Of RFC 1123, as most kinds of objects have them; how long one may be is the API server's to say. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

export function isObjectName(text: string): boolean {
  return subdomain.test(text)
}

/** Parses an argument or the value of a flag. @throws InvalidArgumentError */
export function objectName(text: string): string {
  if (isObjectName(text)) return text
  throw new InvalidArgumentError('It is not a name in Kubernetes: a-z, 0-9, - and . alone, and no - or . at the ends.')
}
