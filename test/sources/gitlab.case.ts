/** GitLab makes a deploy token. */
import type { SourceCase } from './contract.ts'
import { GitLab } from './gitlab-server.ts'

export const gitlabCase: SourceCase<'gitlab'> = {
  kind: 'gitlab',
  issuer: (wish) =>
    new GitLab().handler('groups/acme%2Fteam', (token) => {
      const { secret, expiresAt } = wish()
      return { ...token, username: 'gitlab+deploy-token-1', token: secret, expires_at: expiresAt.toISOString() }
    }),
  spec: (url) => ({
    url,
    registry: 'registry.example.com',
    group: 'acme/team',
    secretRef: { name: 'gitlab' },
    lifetimeDays: 14,
  }),
  secrets: { gitlab: { token: 'glpat-example-0123456789' } },
  expected: ({ secret }) =>
    new Map([['registry.example.com', { username: 'gitlab+deploy-token-1', password: secret }]]),
  tellsExpiry: true,
}
