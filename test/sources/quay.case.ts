/** Quay gives a robot's token for the token of a ServiceAccount. */
import type { SourceCase, Wish } from './contract.ts'

const robot = 'acme+puller'

export const quayCase: SourceCase<'quay'> = {
  kind: 'quay',
  issuer: (wish) => (request) =>
    request.path === '/oauth2/federation/robot/token' ? { body: { token: tokenOf(wish()) } } : { status: 404 },
  spec: (url) => ({ url, robot, serviceAccountName: 'quay-puller' }),
  secrets: {},
  serviceAccounts: ['quay-puller'],
  expected: (wish, url) => new Map([[new URL(url).host, { username: robot, password: tokenOf(wish) }]]),
  tellsExpiry: true,
}

/** A JWT, whose signature nobody but Quay looks at. */
function tokenOf({ secret, expiresAt }: Wish): string {
  const parts = [{ alg: 'RS256' }, { exp: expiresAt.getTime() / 1000, jti: secret }]
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'signature'].join('.')
}
