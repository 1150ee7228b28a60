/** Who the client is to the API server, and how that changes while it runs: tokens, certificates, CA, proxies. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { KubeConfig } from '@kubernetes/client-node'
import type { ConnectionError } from '../../src/kube/api-error.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { startConnectProxy } from './connect-proxy.ts'
import { atEnd, configOf, freshNamespace, linesOf, manager, openClient } from './setup.ts'

type User = ReturnType<KubeConfig['getUsers']>[number]

let admin: KubeClient
let namespace: string
let dir: string

beforeAll(async () => {
  admin = openClient()
  namespace = await freshNamespace(admin)
  dir = await mkdtemp(join(tmpdir(), 'regcred-kube-'))
  atEnd(() => rm(dir, { recursive: true }))
})

/** The cluster's config for another user; `cluster` changes the way there. */
function configFor(user: Partial<User>, cluster: object = {}): KubeConfig {
  const base = configOf().getCurrentCluster()
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ ...base, ...cluster, name: 'c' }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  })
  return config
}

/** Whom the API server takes the client for. */
async function whoAmI(client: KubeClient): Promise<string> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const review = await client.create<{ status: { userInfo: { username: string } } }>(path, {}, manager)
  return review.status.userInfo.username
}

async function serviceAccountToken(name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  const { status } = await admin.create<{ status: { token: string } }>(`${path}/${name}/token`, { spec: {} }, manager)
  return status.token
}

async function createServiceAccount(name: string): Promise<string> {
  await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } }, manager)
  return serviceAccountToken(name)
}

/** PEM of a user's client certificate. */
async function certificateOf(user: string): Promise<{ cert: Buffer; key: Buffer }> {
  const { certData = '', keyData = '' } = configOf(await sharedCluster().kubeconfigFor({ user })).getCurrentUser() ?? {}
  return { cert: Buffer.from(certData, 'base64'), key: Buffer.from(keyData, 'base64') }
}

function ca(): Buffer {
  return Buffer.from(configOf().getCurrentCluster()?.caData ?? '', 'base64')
}

/** Reads a watch until it ends. */
async function endOf(watch: ReturnType<typeof linesOf>): Promise<void> {
  while (!(await watch.next()).done);
}

describe('tokens', () => {
  test('a token that is no longer accepted is read again from its file, and the request made once more', async () => {
    const tokenFile = join(dir, 'token')
    await writeFile(tokenFile, 'expired\n')
    const client = openClient(configFor({ authProvider: { name: 'tokenFile', config: { tokenFile } } }))
    await expect(whoAmI(client)).rejects.toMatchObject({ code: 401 })
    // KubeConfig by itself would read the file again after a minute.
    await writeFile(tokenFile, `${await createServiceAccount('rotated')}\n`)
    await eventually(async () => expect(await whoAmI(client)).toBe(`system:serviceaccount:${namespace}:rotated`))
    expect(client.responses.slice(-2).map(({ code }) => code)).toEqual([401, 201])
  })

  test('a token that stays refused is a 401 after one more attempt', async () => {
    const client = openClient(configFor({ token: 'wrong' }))
    await expect(whoAmI(client)).rejects.toMatchObject({ code: 401, reason: 'Unauthorized' })
    expect(client.responses).toHaveLength(2)
    await expect(client.watch('/api/v1/pods', { query: { watch: true }, onLine() {} })).rejects.toMatchObject({
      code: 401,
    })
  })

  test('a plugin is run once, and again when its token is refused', async () => {
    const token = await createServiceAccount('plugged')
    const command = join(dir, 'plugin.sh')
    const status = (value: string) =>
      JSON.stringify({
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status: { token: value },
      })
    await writeFile(
      command,
      `#!/bin/sh\necho run >> ${dir}/runs\nif [ $(wc -l < ${dir}/runs) = 1 ]; then echo '${status('stale')}'; else echo '${status(token)}'; fi\n`,
    )
    await chmod(command, 0o755)
    const client = openClient(configFor({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } }), {
      reloadSeconds: 0,
    })
    const user = `system:serviceaccount:${namespace}:plugged`
    expect(await Promise.all([whoAmI(client), whoAmI(client), whoAmI(client)])).toEqual([user, user, user])
    expect(await whoAmI(client)).toBe(user)
    expect((await readFile(join(dir, 'runs'), 'utf8')).trim().split('\n')).toHaveLength(2)
  })

  test('a plugin that fails is an error without its output', async () => {
    const command = join(dir, 'failing.sh')
    await writeFile(command, '#!/bin/sh\necho hunter2 >&2; exit 1\n')
    await chmod(command, 0o755)
    const client = openClient(configFor({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } }))
    const error = await whoAmI(client).catch((thrown: unknown) => thrown)
    expect((error as ConnectionError).code).toBe('CREDENTIALS')
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hunter2')
  })
})

describe('certificates', () => {
  test('a replaced client certificate is used from then on, and a watch goes on over its old connection', async () => {
    const [certFile, keyFile] = [join(dir, 'client.crt'), join(dir, 'client.key')]
    const store = async (user: string) => {
      const { cert, key } = await certificateOf(user)
      await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)])
    }
    await store('alice')
    await admin.create(
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
      {
        metadata: { name: 'alice' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
      },
      manager,
    )
    const client = openClient(configFor({ certFile, keyFile }), { reloadSeconds: 0 })
    expect(await whoAmI(client)).toBe('alice')
    const configMaps = `/api/v1/namespaces/${namespace}/configmaps`
    await eventually(async () => void (await client.get(configMaps)))
    const watch = linesOf(client, configMaps, { query: { watch: true } })
    expect(await watch.next()).toMatchObject({ done: false })

    await store('bob')
    await eventually(async () => expect(await whoAmI(client)).toBe('bob'))
    await expect(client.get(configMaps)).rejects.toMatchObject({ code: 403 })
    await admin.create(configMaps, { metadata: { name: 'later' } }, manager)
    const { value } = await watch.next()
    expect(JSON.parse(value ?? '')).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'later' } } })
    await watch.return?.()
  })

  test('an unknown CA is an error; when its file is put right the next request succeeds', async () => {
    const caFile = join(dir, 'ca.crt')
    const { cert, key } = await certificateOf('carol')
    await writeFile(caFile, cert) // a certificate, but of nobody who signs servers
    const user = { certData: cert.toString('base64'), keyData: key.toString('base64') }
    const client = openClient(configFor(user, { caData: undefined, caFile }))
    const error: unknown = await whoAmI(client).catch((thrown: unknown) => thrown)
    expect((error as ConnectionError).code).toMatch(/SELF_SIGNED|UNABLE_TO/)
    await writeFile(caFile, ca())
    await eventually(async () => expect(await whoAmI(client)).toBe('carol'))
  })

  test('files that vanish for a moment do not matter', async () => {
    const caFile = join(dir, 'vanishing.crt')
    await writeFile(caFile, ca())
    const { cert, key } = await certificateOf('dave')
    const user = { certData: cert.toString('base64'), keyData: key.toString('base64') }
    const client = openClient(configFor(user, { caData: undefined, caFile }), { reloadSeconds: 0 })
    expect(await whoAmI(client)).toBe('dave')
    await rm(caFile)
    expect(await whoAmI(client)).toBe('dave')
  })

  test('a certificate whose key is yet to come does not matter, and both are used when it is there', async () => {
    const [certFile, keyFile] = [join(dir, 'half.crt'), join(dir, 'half.key')]
    const [before, after] = [await certificateOf('erin'), await certificateOf('frank')]
    await Promise.all([writeFile(certFile, before.cert), writeFile(keyFile, before.key)])
    const client = openClient(configFor({ certFile, keyFile }), { reloadSeconds: 0 })
    expect(await whoAmI(client)).toBe('erin')
    await writeFile(certFile, after.cert)
    expect(await whoAmI(client)).toBe('erin')
    await writeFile(keyFile, after.key)
    await eventually(async () => expect(await whoAmI(client)).toBe('frank'))
  })

  test('a certificate and a key that do not belong together are an error', async () => {
    const [{ cert }, { key }] = [await certificateOf('grace'), await certificateOf('heidi')]
    const user = { certData: cert.toString('base64'), keyData: key.toString('base64') }
    await expect(whoAmI(openClient(configFor(user)))).rejects.toMatchObject({
      code: expect.stringMatching(/^CREDENTIALS_ERR_OSSL/),
    })
  })

  test('files that were never there are an error', async () => {
    const client = openClient(configFor({}, { caData: undefined, caFile: join(dir, 'missing') }))
    await expect(whoAmI(client)).rejects.toMatchObject({ code: 'CREDENTIALS_ENOENT' })
  })
})

describe('proxies', () => {
  test('proxy-url of the kubeconfig is used for requests and watches', async () => {
    const proxy = await startConnectProxy(`Basic ${Buffer.from('me:hunter2').toString('base64')}`)
    atEnd(() => proxy.close())
    const proxyUrl = proxy.url.replace('://', '://me:hunter2@')
    const config = configOf()
    config.clusters = config.clusters.map((cluster) => ({ ...cluster, proxyUrl }))
    const client = openClient(config)
    await client.get('/version')
    const watch = linesOf(client, '/api/v1/namespaces', { query: { watch: true } })
    expect(await watch.next()).toMatchObject({ done: false })
    await watch.return?.()
    expect(new Set(proxy.tunnels)).toEqual(new Set([new URL(sharedCluster().server).host]))
    expect(proxy.tunnels).toHaveLength(2)
  })

  test('a proxy that wants another password is an error that shows none', async () => {
    const proxy = await startConnectProxy('Basic something')
    atEnd(() => proxy.close())
    const config = configOf()
    config.clusters = config.clusters.map((cluster) => ({
      ...cluster,
      proxyUrl: proxy.url.replace('://', '://me:hunter2@'),
    }))
    const error = await openClient(config)
      .get('/version')
      .catch((thrown: unknown) => thrown)
    expect((error as ConnectionError).code).toBe('PROXY_407')
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hunter2')
  })
})

test('close lets requests end and cuts watches, also those of a replaced certificate', async () => {
  const certFile = join(dir, 'closing.crt')
  const first = await certificateOf('erin')
  const second = await certificateOf('frank')
  await writeFile(certFile, Buffer.concat([first.cert, first.key]))
  const client = openClient(configFor({ certFile, keyFile: certFile }), { reloadSeconds: 0 })
  await admin.create(
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    {
      metadata: { name: namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: ['erin', 'frank'].map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
    },
    manager,
  )
  atEnd(() => admin.delete(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${namespace}`))
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await eventually(async () => void (await client.get(path)))
  const watches = []
  for (const { cert, key } of [first, second]) {
    await writeFile(certFile, Buffer.concat([cert, key]))
    const watch = linesOf(client, path, { query: { watch: true } })
    expect(await watch.next()).toMatchObject({ done: false })
    watches.push(watch)
  }
  const request = client.get(path)
  await new Promise(setImmediate) // the files are read, the request is on its way
  await client.close()
  await expect(request).resolves.toMatchObject({ kind: 'ConfigMapList' })
  for (const watch of watches) await expect(endOf(watch)).rejects.toMatchObject({ name: 'ConnectionError' })
})

describe('kubeconfigs that cannot work', () => {
  test('one without a cluster', () => {
    expect(() => new KubeClient({ kubeConfig: new KubeConfig(), version: '1' })).toThrow(/no current context/)
  })

  test('one with an http:// server and no insecure-skip-tls-verify', () => {
    const kubeConfig = configFor({}, { server: 'http://127.0.0.1:1', skipTLSVerify: false })
    expect(() => new KubeClient({ kubeConfig, version: '1' })).toThrow(/insecure-skip-tls-verify/)
  })
})
