/**
 * The least that the operator's work can cost: its writes, sent as fast as a loop can send them, over as many connections.
 * It watches nothing, decides nothing and keeps nothing. A process of its own, as the operator is:
 *
 *   node bench/bare-loop.ts KUBECONFIG OWNER_UID < names of namespaces, one a line
 *
 * For each phase it prints a line of JSON: `{ phase, seconds, cpuSeconds }`.
 */
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubeConfig } from '@kubernetes/client-node'
import { Pool } from 'undici'
import { fieldManager, managedAnnotation, managedByLabel, managedByValue, markAnnotation } from '../src/api/names.ts'
import { metadataOnly } from '../src/kube/objects.ts'

const [kubeconfigFile = '', ownerUid = ''] = process.argv.slice(2)
const connections = 32
const json = 'application/json'

const kubeConfig = new KubeConfig()
kubeConfig.loadFromFile(kubeconfigFile)
const cluster = kubeConfig.getCurrentCluster()
const tls: { ca?: string | Buffer } = {}
await kubeConfig.applyToHTTPSOptions(tls)
const pool = new Pool(cluster?.server ?? '', { allowH2: false, connections, connect: { ca: tls.ca } })
const authorization = `Bearer ${kubeConfig.getCurrentUser()?.token}`

const namespaces = (await text(process.stdin)).trim().split('\n')
/** Of the ServiceAccounts and, from the first phase on, the Secrets. */
const versions = new Map<string, string>()

const list = await send('GET', '/api/v1/serviceaccounts')
for (const { metadata } of JSON.parse(list).items) {
  if (metadata.name === 'default') versions.set(serviceAccountPath(metadata.namespace), metadata.resourceVersion)
}

await phase('fan-out', async (namespace) => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    ...content(1),
    metadata: { ...metadataOf(namespace, 1), name: 'regcred', namespace, resourceVersion: '1' },
  }
  await write('PATCH', secretPath(namespace), secret, 'application/apply-patch+yaml', metadataOnly)
  await patchServiceAccount(namespace, [{ name: 'regcred' }], 'regcred')
})
await phase('rotation', async (namespace) => {
  const resourceVersion = versions.get(secretPath(namespace))
  const secret = { metadata: { ...metadataOf(namespace, 2), resourceVersion }, ...content(2) }
  await write('PATCH', secretPath(namespace), secret, 'application/merge-patch+json', metadataOnly)
})
await phase('removal', async (namespace) => {
  await patchServiceAccount(namespace, [], null)
  await send('DELETE', secretPath(namespace), {}, json)
})
await pool.close()

async function phase(name: string, work: (namespace: string) => Promise<void>): Promise<void> {
  await sleep(2_000)
  const waiting = namespaces.values()
  const start = performance.now()
  const before = process.cpuUsage()
  const workers = Array.from({ length: connections }, async () => {
    for (const namespace of waiting) await work(namespace)
  })
  await Promise.all(workers)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  console.log(JSON.stringify({ phase: name, seconds, cpuSeconds: (user + system) / 1e6 }))
}

function metadataOf(namespace: string, version: number) {
  const owner = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', name: 'bare', uid: ownerUid }
  // As long as a mark of one credential is.
  const mark = `${String(version).repeat(32)}:${ownerUid}:${namespace.padEnd(32, '0').slice(0, 32)}`
  return {
    labels: { [managedByLabel]: managedByValue },
    annotations: { [markAnnotation]: mark },
    ownerReferences: [owner],
  }
}

function content(version: number) {
  const login = {
    username: 'bench',
    password: `bench-password-${version}`,
    auth: btoa(`bench:bench-password-${version}`),
  }
  const config = JSON.stringify({ auths: { 'ghcr.io': login } })
  return { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': btoa(config) } }
}

function patchServiceAccount(namespace: string, imagePullSecrets: object[], managed: string | null): Promise<void> {
  const path = serviceAccountPath(namespace)
  const metadata = { resourceVersion: versions.get(path), annotations: { [managedAnnotation]: managed } }
  return write('PATCH', path, { metadata, imagePullSecrets }, 'application/merge-patch+json')
}

async function write(method: 'PATCH', path: string, body: object, type: string, accept = json): Promise<void> {
  const answer = await send(method, path, body, type, accept)
  versions.set(path, /"resourceVersion":"(\d+)"/.exec(answer)?.[1] ?? '')
}

async function send(
  method: 'GET' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  type = json,
  accept = json,
): Promise<string> {
  const answer = await pool.request({
    method,
    path: method === 'PATCH' ? `${path}?fieldManager=${fieldManager}` : path,
    headers: { authorization, accept, 'content-type': type, 'user-agent': 'bare-loop' },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const received = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${received}`)
  return received
}

function secretPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/regcred`
}

function serviceAccountPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/default`
}
