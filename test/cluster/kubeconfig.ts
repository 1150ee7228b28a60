/** Kubeconfig files that hold all they need, so that they can be moved and used from any folder. */
import type { Certificate } from './certificates.ts'

export type Credentials = { token: string } | Certificate

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** JSON, which is YAML too. `server` is a URL, `ca` a PEM text. */
export function kubeconfig(server: string, ca: string, user: string, credentials: Credentials): string {
  const authInfo =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.key),
        }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: authInfo }],
    contexts: [{ name: user, context: { cluster: 'test', user } }],
    'current-context': user,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
