/** What is read of JSON Web Tokens (RFC 7519). Their signatures are for those who are logged in to, not for us. */

/**
 * When a token ends by its claim `exp` (RFC 7519, 4.1.4). Only for tokens that came from their issuer by TLS: nothing is
 * verified.
 * @returns undefined where it is no JWT, or does not say
 */
export function expiryOf(token: string): Date | undefined {
  const payload = token.split('.')[1] ?? ''
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown }
    const date = typeof exp === 'number' ? new Date(exp * 1_000) : undefined
    return date && !Number.isNaN(date.getTime()) ? date : undefined
  } catch {
    return undefined
  }
}
