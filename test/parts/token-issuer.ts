/** Signs what a token server states: JSON Web Tokens (RFC 7519) by ES256, with a key of its own. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'

export interface Statement {
  /** Who; empty for anybody. */
  sub: string
  /** The service it is for. */
  aud: string
  access: { type: string; name: string; actions: string[] }[]
}

export interface TokenIssuer {
  name: string
  /** The public key, for those who believe it (RFC 7517). */
  jwks: { keys: object[] }
  /** A token that is good for `LIFETIME_SECONDS` from now. */
  issue(statement: Statement): string
}

export const LIFETIME_SECONDS = 300

export function createTokenIssuer(name: string): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const header = { typ: 'JWT', alg: 'ES256', kid: 'k1' }
  return {
    name,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: header.alg, kid: header.kid }] },
    issue(statement) {
      const now = Math.floor(Date.now() / 1000)
      const times = { nbf: now - 10, iat: now, exp: now + LIFETIME_SECONDS }
      const parts = [header, { iss: name, ...times, jti: randomUUID(), ...statement }]
      const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${signed}.${signature.toString('base64url')}`
    },
  }
}
