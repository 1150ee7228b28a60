/** Kubeconfigs as people have them: several files, contexts, and files that are none. */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { delimiter, dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { loadKubeConfig } from '../../src/cli/kubeconfig.ts'
import { temporaryFolders } from '../cluster/temporary.ts'

const folder = temporaryFolders()

/** A file with a cluster, a user and a context of the given name. */
function kubeconfigOf(name: string, more: object = {}): string {
  const file = join(folder(), `${name}.yaml`)
  const config = {
    clusters: [{ name, cluster: { server: `https://${name}.example.com` } }],
    users: [{ name, user: { token: `token-of-${name}` } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `namespace-of-${name}` } }],
    'current-context': name,
    ...more,
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}

test('--kubeconfig outranks KUBECONFIG, which outranks ~/.kube/config', () => {
  const home = folder()
  mkdirSync(join(home, '.kube'))
  writeFileSync(join(home, '.kube', 'config'), JSON.stringify({ clusters: [] }))
  const [one, two] = [kubeconfigOf('one'), kubeconfigOf('two')]
  expect(loadKubeConfig({ kubeconfig: one }, { KUBECONFIG: two, HOME: home }).currentContext).toBe('one')
  expect(loadKubeConfig({}, { KUBECONFIG: two, HOME: home }).currentContext).toBe('two')
  expect(() => loadKubeConfig({}, { HOME: home })).toThrow('no current context')
})

test('of several files the first entry of a name counts, and one that is missing is passed over', () => {
  const first = kubeconfigOf('one', { 'current-context': '' })
  const again = kubeconfigOf('one', { clusters: [{ name: 'one', cluster: { server: 'https://late.example.com' } }] })
  const files = [first, '/nonexistent', kubeconfigOf('two'), again].join(delimiter)
  const kubeConfig = loadKubeConfig({}, { KUBECONFIG: files })
  expect(kubeConfig.currentContext).toBe('two')
  expect(kubeConfig.getCluster('one')?.server).toBe('https://one.example.com')
})

test('--context, --cluster and --user choose, and what does not exist is named', () => {
  const env = { KUBECONFIG: [kubeconfigOf('one'), kubeconfigOf('two')].join(delimiter) }
  const chosen = (choice: object) => {
    const kubeConfig = loadKubeConfig(choice, env)
    return [kubeConfig.getCurrentCluster()?.name, kubeConfig.getCurrentUser()?.name]
  }
  expect(chosen({})).toEqual(['one', 'one'])
  expect(chosen({ context: 'two' })).toEqual(['two', 'two'])
  expect(chosen({ cluster: 'two' })).toEqual(['two', 'one'])
  expect(chosen({ context: 'two', user: 'one' })).toEqual(['two', 'one'])
  expect(() => chosen({ context: 'three' })).toThrow('context "three" does not exist')
  expect(() => chosen({ cluster: 'three' })).toThrow('cluster "three" does not exist')
  expect(() => chosen({ user: 'three' })).toThrow('user "three" does not exist')
})

test.each([
  ['broken YAML', 'users:\n- name: u\n  user:\n    token: s3cret\n   x: y\n'],
  ['broken JSON', '{"users": [{"user": {"token": "s3cret"'],
  ['a number', '7'],
])('%s is refused without a word of it', (_, content) => {
  const file = join(folder(), 'kubeconfig')
  writeFileSync(file, content)
  expect(() => loadKubeConfig({ kubeconfig: file }, {})).toThrow(/^(?!.*s3cret).*kubeconfig/s)
})

/** The current user of a file with this one. */
function userOf(user: object) {
  const file = kubeconfigOf('one', { users: [{ name: 'one', user }] })
  return [loadKubeConfig({ kubeconfig: file }, {}).getCurrentUser(), dirname(file)] as const
}

test('a tokenFile counts, more than a token, and is beside the kubeconfig as its other files are', async () => {
  const [user, beside] = userOf({ token: 'of before', tokenFile: 'token' })
  expect([user?.token, user?.authProvider.config]).toEqual([undefined, { tokenFile: join(beside, 'token') }])
  const token = join(folder(), 'token')
  writeFileSync(token, 'of the file')
  const options: RequestOptions = {}
  const file = kubeconfigOf('one', { users: [{ name: 'one', user: { tokenFile: token } }] })
  await loadKubeConfig({ kubeconfig: file }, {}).applyToHTTPSOptions(options)
  expect(options.headers).toMatchObject({ Authorization: 'Bearer of the file' })
})

test('a plugin that is named by a path is looked for beside the kubeconfig, others on PATH', () => {
  const plugin = (command: string) => userOf({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } })
  const [relative, beside] = plugin('./plugins/login')
  expect(relative?.exec.command).toBe(join(beside, 'plugins', 'login'))
  expect(plugin('login')[0]?.exec.command).toBe('login')
  expect(plugin('/opt/login')[0]?.exec.command).toBe('/opt/login')
})

test('an empty file is one that says nothing', () => {
  const empty = join(folder(), 'kubeconfig')
  writeFileSync(empty, '')
  expect(loadKubeConfig({}, { KUBECONFIG: [empty, kubeconfigOf('one')].join(delimiter) }).currentContext).toBe('one')
  expect(() => loadKubeConfig({ kubeconfig: empty }, {})).toThrow('no current context')
})

test.each([
  ['no user', { context: { cluster: 'one' } }],
  ['a user who does not exist', { context: { cluster: 'one', user: 'gone' } }],
])('a context with %s is told, and nobody is asked in nobody’s name', (_, context) => {
  const file = kubeconfigOf('one', { contexts: [{ name: 'one', ...context }] })
  expect(() => loadKubeConfig({ kubeconfig: file }, {})).toThrow(
    'context "one" has no user, or one that does not exist',
  )
})

test('where there is none, what was looked for is told, and a pod is not asked for its ServiceAccount', () => {
  expect(() => loadKubeConfig({}, { HOME: '/nonexistent' })).toThrow('/nonexistent/.kube/config')
  expect(() => loadKubeConfig({ kubeconfig: '/nonexistent' }, {})).toThrow(
    '--kubeconfig: there is no file /nonexistent',
  )
})
