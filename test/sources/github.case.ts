/** GitHub gives a token for one that is signed with the App's key. */
import { generateKeyPairSync } from 'node:crypto'
import type { SourceCase } from './contract.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

export const githubCase: SourceCase<'github'> = {
  kind: 'github',
  issuer: (wish) => (request) => {
    if (request.path !== '/app/installations/42/access_tokens') return { status: 404 }
    const { secret, expiresAt } = wish()
    return { status: 201, body: { token: `ghs_${secret}`, expires_at: expiresAt.toISOString() } }
  },
  spec: (url) => ({ appId: '1', installationId: '42', secretRef: { name: 'github' }, url, registry: 'ghcr.io' }),
  secrets: { github: { privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString().trim() } },
  expected: ({ secret }) => new Map([['ghcr.io', { username: 'x-access-token', password: `ghs_${secret}` }]]),
  tellsExpiry: true,
}
