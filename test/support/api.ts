/**
 * Plain requests to the API server as one identity, with the answer as it comes: for tests of what the server admits,
 * defaults and refuses. It knows nothing of the operator's own client.
 */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { parse } from 'yaml'

export interface Answer {
  status: number
  /** The object asked for, or metav1.Status; of a watch the first event, or {} when there was none. */
  body: ApiObject
  /** What the API server warns of; '' of nothing. */
  warning: string
}

/** As much of an API object or a metav1.Status as tests look at. */
export interface ApiObject {
  message?: string
  reason?: string
  details?: { causes?: { field?: string; message: string }[] }
  metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string }
  items?: ApiObject[]
  [field: string]: unknown
}

export type Api = (method: string, path: string, body?: object, contentType?: string) => Promise<Answer>

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
  users: [{ user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }]
}

export const applyPatch = 'application/apply-patch+yaml'
export const mergePatch = 'application/merge-patch+json'

/** @param kubeconfig file as `Cluster.kubeconfigFor` makes it */
export function openApi(kubeconfig: string): Api {
  const config: Kubeconfig = parse(readFileSync(kubeconfig, 'utf8'))
  const [{ cluster }] = config.clusters
  const [{ user }] = config.users
  const decode = (base64: string | undefined) => (base64 === undefined ? undefined : Buffer.from(base64, 'base64'))
  const identity = {
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  }
  return (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const text = body && JSON.stringify(body)
      const headers = {
        accept: 'application/json',
        ...(user.token && { authorization: `Bearer ${user.token}` }),
        ...(text && { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
      }
      const outgoing = request(new URL(path, cluster.server), { method, headers, ...identity }, (incoming) => {
        const status = incoming.statusCode ?? 0
        const warning = String(incoming.headers.warning ?? '')
        const read = async () =>
          resolve({ status, body: parseBody(await incoming.setEncoding('utf8').toArray()), warning })
        read().catch((error: Error) => reject(new Error(`${method} ${path}: ${status}, ${error.message}`)))
      })
      outgoing
        .once('error', reject)
        .setTimeout(60_000, () => outgoing.destroy(new Error(`${method} ${path}: no answer`)))
      outgoing.end(text)
    })
}

function parseBody(chunks: string[]): ApiObject {
  const [line = ''] = chunks.join('').split('\n')
  return JSON.parse(line || '{}')
}
