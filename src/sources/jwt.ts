/** What an issuer's token says of itself. Its signature is the registry's business; nothing is granted here because of it. */
import { unusable } from './issuer.ts'

/**
 * When a JWT ends: its claim `exp`, in seconds since the epoch (RFC 7519, 4.1.4).
 * @throws SourceProblem when it does not say
 */
export function expiryOf(token: string, issuer: string): Date {
  const exp = claimsOf(token)?.exp
  const expiresAt = new Date(typeof exp === 'number' ? exp * 1000 : Number.NaN)
  if (Number.isNaN(expiresAt.getTime())) throw unusable(issuer, 'has a token that does not say when it ends')
  return expiresAt
}

function claimsOf(token: string): { exp?: unknown } | undefined {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) ?? undefined
  } catch {
    return undefined
  }
}
