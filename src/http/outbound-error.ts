/**
 * Why there is no answer from an issuer or a registry. Safe to show: a code, the host and a fixed sentence, never the
 * URL's path or query, headers, bodies or what a library said.
 */

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What undici tells by codes and words of its own. */
const codes: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'ERR_TOO_LARGE',
  UND_ERR_PRX_TLS: 'ERR_PROXY',
}

const sentences: Readonly<Record<string, (host: string) => string>> = {
  ERR_ADDRESS: (host) => `${host} is, or resolves to, a link-local or metadata address, which is never asked`,
  ERR_CA_FILE: () => 'a file named by --ca-file cannot be read, or is not in PEM',
  ERR_INSECURE: (host) => `${host} is not spoken to without TLS; if it has none, name it by --insecure-host`,
  ERR_INVALID_REQUEST: () => 'the URL is not one of http:// or https:// without a user, or a header cannot be sent',
  ERR_PROXY: (host) => `the proxy gives no way to ${host}; check HTTPS_PROXY, HTTP_PROXY and NO_PROXY`,
  ERR_REDIRECT: (host) => `${host} redirects to another server or too often; credentials do not follow it`,
  ERR_TOO_LARGE: (host) => `${host} answered with more than 1 MiB`,
  ETIMEDOUT: (host) => `${host} gave no whole answer in time`,
}

export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  /** 'ERR_ADDRESS', 'ERR_REDIRECT' … of the table above, or of the system and TLS: 'ECONNREFUSED', 'CERT_HAS_EXPIRED' … */
  readonly code: string
  /** host[:port]; '' where the URL has none. */
  readonly host: string

  constructor(code: string, host: string) {
    super((sentences[code] ?? sentenceFor(code))(host))
    this.code = code
    this.host = host
  }
}

/** Whatever undici, TLS or the resolver threw, reduced to its code. @param proxied whether it was sent by a proxy */
export function toOutboundError(thrown: unknown, host: string, proxied: boolean): OutboundError {
  if (thrown instanceof OutboundError) return thrown
  const code = codeOf(thrown)
  // Where there is a proxy it is the one that is looked up and connected to; it tells of the server behind by answers.
  const ofProxy = proxied && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)
  return new OutboundError(ofProxy ? 'ERR_PROXY' : code, host)
}

function sentenceFor(code: string): (host: string) => string {
  if (!untrusted.has(code)) return (host) => `no usable answer from ${host} (${code})`
  return (host) =>
    `the certificate of ${host} is signed by an authority that is not trusted (${code}); name a file with its CA by --ca-file`
}

function codeOf(thrown: unknown): string {
  const { code, message, cause, errors } = (thrown ?? {}) as Partial<NodeJS.ErrnoException & AggregateError>
  // undici tells a proxy's refusal in words only.
  if (/^Proxy (response|connection|authentication)/i.test(message ?? '')) return 'ERR_PROXY'
  if (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) return codes[code] ?? code
  const inner = cause ?? errors?.[0]
  return inner === undefined ? 'UNKNOWN' : codeOf(inner)
}
