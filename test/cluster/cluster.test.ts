import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sharedCluster } from './shared.ts'
import { KUBERNETES_VERSION } from './versions.ts'
import { eventually } from './wait.ts'

const cluster = sharedCluster()
const namespace = `cluster-${randomUUID().slice(0, 8)}`

beforeAll(async () => {
  await cluster.kubectl('create', 'namespace', namespace)
})

afterAll(async () => {
  await cluster.kubectl('delete', 'namespace', namespace, '--wait=false')
})

interface Review {
  status: { userInfo: { username: string; groups: string[] } }
}

async function whoAmI(kubeconfig: string): Promise<Review['status']['userInfo']> {
  const review = await cluster.kubectl('--kubeconfig', kubeconfig, 'auth', 'whoami', '-o', 'json')
  return (JSON.parse(review) as Review).status.userInfo
}

test('the server, whether downloaded or built, is of the pinned minor version', async () => {
  const { serverVersion } = JSON.parse(await cluster.kubectl('version', '-o', 'json')) as {
    serverVersion: { gitVersion: string }
  }
  expect(serverVersion.gitVersion.split('.').slice(0, 2)).toEqual(KUBERNETES_VERSION.split('.').slice(0, 2))
})

test('the controller manager gives a new namespace its default ServiceAccount', async () => {
  const get = (): Promise<string> => cluster.kubectl('get', 'serviceaccount', 'default', '-n', namespace, '-o', 'name')
  expect((await eventually(get)).trim()).toBe('serviceaccount/default')
})

test('the controller manager finishes the deletion of a namespace', async () => {
  const name = `${namespace}-gone`
  await cluster.kubectl('create', 'namespace', name)
  await cluster.kubectl('delete', 'namespace', name, '--wait=true', '--timeout=60s')
  await expect(cluster.kubectl('get', 'namespace', name)).rejects.toThrow('(NotFound)')
})

describe('identities', () => {
  test('a user is known by its name and groups, and without rights it may do nothing', async () => {
    const user = `jane-${namespace}`
    const kubeconfig = await cluster.kubeconfigFor({ user, groups: ['dev', 'ops'] })
    await expect(whoAmI(kubeconfig)).resolves.toMatchObject({
      username: user,
      groups: ['dev', 'ops', 'system:authenticated'],
    })
    const since = new Date()
    const forbidden = cluster.kubectl('--kubeconfig', kubeconfig, 'get', 'secrets', '-n', namespace)
    await expect(forbidden).rejects.toThrow(`(Forbidden): secrets is forbidden: User "${user}" cannot list`)
    const entries = (await cluster.auditLog(since)).filter((entry) => entry.user === user)
    expect(entries.map(({ verb, resource, code }) => ({ verb, resource, code }))).toEqual([
      { verb: 'list', resource: 'secrets', code: 403 },
    ])
  })

  test('a kubeconfig of a ServiceAccount is that ServiceAccount', async () => {
    const kubeconfig = await cluster.kubeconfigFor({ serviceAccount: 'default', namespace })
    await expect(whoAmI(kubeconfig)).resolves.toMatchObject({
      username: `system:serviceaccount:${namespace}:default`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    })
  })

  test('a ServiceAccount that does not exist yet is waited for', async () => {
    const kubeconfig = cluster.kubeconfigFor({ serviceAccount: 'late', namespace })
    await eventually(async () => {
      const attempts = (await cluster.auditLog()).filter((e) => e.subresource === 'token' && e.namespace === namespace)
      expect(attempts).toContainEqual(expect.objectContaining({ name: 'late', code: 404 }))
    })
    await cluster.kubectl('create', 'serviceaccount', 'late', '-n', namespace)
    await expect(whoAmI(await kubeconfig)).resolves.toMatchObject({
      username: `system:serviceaccount:${namespace}:late`,
    })
  })
})

test('a manifest is applied from memory', async () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace }, data: { a: 'b' } }
  await cluster.apply(JSON.stringify(configMap))
  const read = await cluster.kubectl('get', 'configmap', 'settings', '-n', namespace, '-o', 'jsonpath={.data.a}')
  expect(read).toBe('b')
})

describe('the audit log', () => {
  test('has each request once, with all that tests filter by', async () => {
    const since = new Date()
    await cluster.kubectl('get', 'configmap', 'no-such-thing', '-n', namespace, '--ignore-not-found')
    const entries = (await cluster.auditLog(since)).filter((entry) => entry.name === 'no-such-thing')
    expect(entries).toEqual([
      {
        user: 'test-admin',
        verb: 'get',
        resource: 'configmaps',
        subresource: '',
        namespace,
        name: 'no-such-thing',
        code: 404,
        time: expect.any(Date),
        ended: expect.any(Date),
        userAgent: expect.stringMatching(/^kubectl/),
        requestURI: `/api/v1/namespaces/${namespace}/configmaps/no-such-thing`,
        annotations: expect.any(Object),
      },
    ])
  })

  test('has a watch from its start, and still once after its end', async () => {
    const since = new Date()
    const watches = async (): Promise<number> =>
      (await cluster.auditLog(since)).filter((e) => e.verb === 'watch' && e.requestURI.includes(`%3D${namespace}-none`))
        .length
    const args = ['-n', namespace, '--field-selector', `metadata.name=${namespace}-none`]
    const watching = cluster.kubectl('get', 'configmaps', ...args, '--watch-only', '--request-timeout=3s')
    await eventually(async () => expect(await watches()).toBe(1))
    await watching.catch(() => {})
    expect(await watches()).toBe(1)
  })
})
