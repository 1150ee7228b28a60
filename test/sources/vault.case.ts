/** Vault makes a login with a lease. Nothing is done with the token afterwards, as the lease hangs on it. */
import type { SourceCase } from './contract.ts'

const username = 'v-regcred-1'

export const vaultCase: SourceCase<'vault'> = {
  kind: 'vault',
  issuer: (wish) => (request) => {
    const { secret, expiresAt } = wish()
    switch (request.path) {
      case '/v1/auth/token/lookup-self':
        return { body: { data: { ttl: 0 } } }
      case '/v1/artifactory/creds/puller': {
        const lease_duration = Math.ceil((expiresAt.getTime() - Date.now()) / 1000)
        const data = { username, access_token: secret }
        return { body: { lease_id: `artifactory/creds/puller/${secret.slice(0, 4)}`, lease_duration, data } }
      }
      default:
        return { status: 404, body: { errors: [] } }
    }
  },
  spec: (url) => ({
    url,
    mount: 'artifactory',
    path: 'creds/puller',
    engine: 'Dynamic',
    keys: { username: 'username', password: 'access_token' },
    secretRef: { name: 'vault' },
  }),
  secrets: { vault: { token: 'hvs.example-of-a-token' } },
  registries: ['acme.jfrog.io'],
  expected: ({ secret }) => new Map([['acme.jfrog.io', { username, password: secret }]]),
  tellsExpiry: true,
}
