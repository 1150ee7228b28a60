/** What the program does before it works: help, refusals, and what it says about a kubeconfig that does not do. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { OPERATOR_HOOK_TIMEOUT_MS, startOperator } from '../cluster/operator.ts'
import { freePorts } from '../cluster/ports.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { linesOf, runToEnd } from './program.ts'

const cluster = sharedCluster()
const folder = temporaryFolders()

interface Kubeconfig {
  clusters: { cluster: { server: string } }[]
  users: { user: { token?: string; 'auth-provider'?: { name: string; config: { tokenFile: string } } } }[]
}

const operator = { serviceAccount: 'regcred-operator', namespace: 'regcred-system' }

/** A kubeconfig of the operator's, with changes; the path of the file. */
async function kubeconfigWith(change: (config: Kubeconfig) => void): Promise<string> {
  const config = JSON.parse(readFileSync(await cluster.kubeconfigFor(operator), 'utf8')) as Kubeconfig
  change(config)
  const file = join(folder(), 'kubeconfig')
  writeFileSync(file, JSON.stringify(config))
  return file
}

test('--help tells of every flag and its variable, --version the version', async () => {
  const help = await runToEnd(['--help'])
  expect(help).toMatchObject({ code: 0, stderr: '' })
  for (const flag of ['kubeconfig', 'namespace', 'secret-name', 'concurrency', 'leader-elect', 'log-level']) {
    expect(help.stdout).toContain(`--${flag} `)
  }
  expect(help.stdout).toContain('REGCRED_CONCURRENCY')
  expect(await runToEnd(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
})

test('what is wrong with the settings is told at once, and nothing is started', async () => {
  const wrong = await runToEnd(['--log-level=loud', '--concurrency=0', '--kubeconfig=/nonexistent'])
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  for (const flag of ['--log-level', '--concurrency', '--kubeconfig']) expect(wrong.stderr).toContain(`${flag}: "`)
  expect(await runToEnd(['--no-such-flag'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--help') })
})

test('outside of a cluster it never takes the current context of ~/.kube/config', async () => {
  const user = 'somebody-by-accident'
  const home = folder()
  mkdirSync(join(home, '.kube'))
  const kubeconfig = await cluster.kubeconfigFor({ user, groups: ['system:masters'] })
  writeFileSync(join(home, '.kube', 'config'), readFileSync(kubeconfig))
  const refused = await runToEnd(['--metrics-bind-address=0', '--health-probe-bind-address=0'], { HOME: home })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(/--kubeconfig FILE or set KUBECONFIG/)
  await cluster.kubectl('--kubeconfig', kubeconfig, 'get', 'namespaces') // the file would have done
  const requests = (await cluster.auditLog()).filter((entry) => entry.user === user)
  expect(requests.filter(({ userAgent }) => !userAgent.startsWith('kubectl'))).toEqual([])
})

const token = 'kept-out-of-the-log-0123456789'
test.each([
  ['broken YAML', `users:\n- name: u\n  user:\n    token: ${token}\n   x: y\n`, /is not a valid kubeconfig/],
  ['broken JSON', `{"users": [{"user": {"token": "${token}"`, /is not a valid kubeconfig/],
  ['no context', `users: [{name: u, user: {token: ${token}}}]`, /no current context/],
])('a kubeconfig with %s ends it with one line that quotes nothing of it', async (_, text, said) => {
  const file = join(folder(), 'kubeconfig')
  writeFileSync(file, text)
  const ended = await runToEnd([`--kubeconfig=${file}`])
  expect(ended).toMatchObject({ code: 1, stderr: '' })
  const [line, ...others] = linesOf(ended.stdout)
  expect(others).toEqual([])
  expect(line).toMatchObject({ level: 'error', error: { message: expect.stringMatching(said) } })
  expect(ended.stdout).not.toContain(token)
})

test('a port that is taken ends it, and the flag is named', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const address = `127.0.0.1:${port}`
  const args = [`--kubeconfig=${cluster.adminKubeconfig}`, '--metrics-bind-address=0']
  const ended = await runToEnd([...args, `--health-probe-bind-address=${address}`])
  other.close()
  expect(ended.code).toBe(1)
  const [line] = linesOf(ended.stdout)
  expect(JSON.stringify(line)).toMatch(/--health-probe-bind-address: .* is already in use/)
})

test(
  'a server that is not there is told once a watch, and stopping works meanwhile',
  async () => {
    const [port = 0] = await freePorts(1)
    const kubeconfig = await kubeconfigWith(({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = `https://127.0.0.1:${port}`
    })
    const running = await startOperator({ kubeconfig, untilReady: false })
    const refusals = () => linesOf(running.logs()).filter(({ error }) => /ECONNREFUSED/.test(JSON.stringify(error)))
    await eventually(async () => {
      expect(refusals()).toHaveLength(5)
      expect(await running.health('/healthz')).toBe(200)
      expect(await running.health('/readyz')).toBe(500)
    })
    expect(refusals().map(({ level }) => level)).toEqual(Array(5).fill('warn'))
    expect(JSON.stringify(refusals())).toContain(`https://127.0.0.1:${port}`)
    expect(await running.stop()).toBe(0)
    expect(refusals()).toHaveLength(5)
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)

test(
  'a token that is not taken is told, and a new one in its file heals it',
  async () => {
    const tokenFile = join(folder(), 'token')
    writeFileSync(tokenFile, `${token}\n`)
    let good = ''
    const kubeconfig = await kubeconfigWith(({ users }) => {
      for (const each of users) {
        good = each.user.token ?? ''
        each.user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } // as in a pod
      }
    })
    const running = await startOperator({ kubeconfig, untilReady: false, args: ['--log-level=debug'] })
    await eventually(async () => {
      const told = linesOf(running.logs()).filter(({ level }) => level === 'warn')
      expect(told).toHaveLength(5)
      for (const { error } of told) expect(error).toMatchObject({ code: 401, reason: 'Unauthorized' })
      expect(await running.health('/readyz')).toBe(500)
    })
    writeFileSync(tokenFile, `${good}\n`)
    await eventually(async () => expect(await running.health('/readyz')).toBe(200))
    await eventually(() => expect(running.logs()).toContain('watching again'))
    expect(await running.stop()).toBe(0)
    for (const each of [token, good]) expect(running.logs()).not.toContain(each)
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)
