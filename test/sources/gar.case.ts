/** Google gives access tokens for the key of a service account, and for the token of a ServiceAccount. */
import { generateKeyPairSync } from 'node:crypto'
import type { SourceCase } from './contract.ts'
import type { Handler } from './issuer-server.ts'

const registries = ['europe-docker.pkg.dev/acme/', 'gcr.io']

export const email = 'puller@acme.iam.gserviceaccount.com'
export const audience =
  '//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/cluster'

export const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** As gcloud writes it; where to ask is not taken from it. */
export const keyJson = JSON.stringify({
  type: 'service_account',
  project_id: 'acme',
  private_key_id: '0f1e2d',
  private_key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  client_email: email,
  token_uri: 'https://tokens.example.com/token',
})

const common: Pick<SourceCase<'gar'>, 'kind' | 'issuer' | 'registries' | 'env' | 'expected' | 'tellsExpiry'> = {
  kind: 'gar',
  issuer(wish): Handler {
    const seconds = () => (wish().expiresAt.getTime() - Date.now()) / 1_000
    return ({ path }) => {
      switch (path) {
        case '/token':
          return { body: { access_token: wish().secret, expires_in: seconds(), token_type: 'Bearer' } }
        case '/v1/token':
          return { body: { access_token: 'federated-5d0a1b', expires_in: 3_600, token_type: 'Bearer' } }
        case `/v1/projects/-/serviceAccounts/${email}:generateAccessToken`:
          return { body: { accessToken: wish().secret, expireTime: wish().expiresAt.toISOString() } }
        default:
          return { status: 404 }
      }
    }
  },
  registries,
  env: (url) => ({
    CLOUDSDK_AUTH_TOKEN_HOST: `${url}/token`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: `${url}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${url}/`,
  }),
  expected: ({ secret }) =>
    new Map(registries.map((key) => [key, { username: 'oauth2accesstoken', password: secret }])),
  tellsExpiry: true,
}

export const garKeyCase: SourceCase<'gar'> = {
  ...common,
  spec: () => ({ secretRef: { name: 'gar' } }),
  secrets: { gar: { 'key.json': keyJson } },
}

export const garFederationCase: SourceCase<'gar'> = {
  ...common,
  spec: () => ({ workloadIdentity: { audience, serviceAccountName: 'gar-puller', impersonate: email } }),
  secrets: {},
  serviceAccounts: ['gar-puller'],
}
