/** The program as its users meet it: by kubectl, by itself, and with what goes wrong before a command begins. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { createProgram } from '../../src/cli/program.ts'
import { freePorts } from '../cluster/ports.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { Lab } from '../controller/lab.ts'
import { kubectlWithPlugin, pluginFolder, regcred } from './plugin.ts'
import { credentialsRight, userWith } from './rights.ts'

const folder = temporaryFolders()
let lab: Lab

beforeAll(() => {
  lab = new Lab()
})
afterAll(() => lab.close())

test('kubectl finds it, and passes on what it prints and its exit code', async () => {
  const name = await lab.credential('by-kubectl', { source: { secretRef: { name: 'none' } } })
  const found = await kubectlWithPlugin(['regcred', 'status', name])
  expect(found).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(new RegExp(`^NAME .*\n${name} .*\n$`)) })
  expect(await kubectlWithPlugin(['regcred', 'status', 'not-there'])).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining(
      'Error from server (NotFound): registrycredentials.regcred.dev "not-there" not found\n',
    ),
  })
})

test('alone in a folder it runs: it is one file, which any Node 24 on PATH can start', async () => {
  const alone = folder()
  writeFileSync(join(alone, 'kubectl-regcred'), readFileSync(join(await pluginFolder(), 'kubectl-regcred.mjs')), {
    mode: 0o755,
  })
  const env = { PATH: [join(process.execPath, '..'), process.env.PATH].join(':') }
  const { stdout } = await promisify(execFile)(join(alone, 'kubectl-regcred'), ['--version'], { env })
  expect(stdout).toBe(`${packageJson.version}\n`)
})

test('every command has help, with an example or an explanation of each of its flags', async () => {
  const program = createProgram('test')
  expect(program.commands.length).toBeGreaterThan(4)
  for (const command of program.commands) {
    const { code, stdout, stderr } = await regcred([command.name(), '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: kubectl regcred ${command.name()}`)
    for (const { long, description } of command.options) {
      expect(stdout).toContain(long)
      expect(description).toMatch(/^\w.*[^.]$/s)
    }
  }
  expect((await regcred(['help', 'status'])).stdout).toBe((await regcred(['status', '--help'])).stdout)
  expect((await regcred([])).stdout).toBe((await regcred(['--help'])).stdout)
})

test.each([
  [['sattus'], "error: unknown command 'sattus'\n(Did you mean status?)"],
  [['status', '--wach'], "error: unknown option '--wach'\n(Did you mean --watch?)"],
  [['status', '-o', 'xml'], "error: option '-o, --output <format>' argument 'xml' is invalid"],
  [['refresh'], "error: missing required argument 'names'"],
  [['status', ''], 'error: the name of a credential may not be empty'],
  [['refresh', 'x', ''], 'error: the name of a credential may not be empty'],
  [['verify', ''], 'error: the name of a credential may not be empty'],
  [['explain', 'image', 'nginx', '--service-account', 'a/b'], 'It is not a name in Kubernetes'],
  [['status', '--as-group', 'devs'], 'error: --as-group needs --as'],
  [['status', '--request-timeout', 'soon'], 'error: --request-timeout: "soon" is no time'],
])('wrong usage is told, with the way to the help: %j', async (args, said) => {
  const { code, stdout, stderr } = await regcred(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(said)
})

test('whoever stops reading, as head does, gets no error', async () => {
  const plugin = join(await pluginFolder(), 'kubectl-regcred.mjs')
  const script = `"$0" "$1" status -o json --request-timeout=30s | head -c 1`
  const env = { PATH: process.env.PATH, KUBECONFIG: sharedCluster().adminKubeconfig }
  const { stdout, stderr } = await promisify(execFile)('/bin/sh', ['-c', script, process.execPath, plugin], { env })
  expect([stdout.length, stderr]).toEqual([1, ''])
})

test('it acts as the user of the kubeconfig, as --as says, and under its own name', async () => {
  const start = new Date()
  const kubeconfig = await userWith({ cluster: [credentialsRight('list')] })
  expect((await regcred(['status', '-o', 'json'], { kubeconfig })).code).toBe(0)
  const refused = await regcred(['status', '--as', 'joe', '--as-group', 'devs', '--as-group', 'ops'])
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(
    /^Error from server \(Forbidden\): registrycredentials.regcred.dev is forbidden: User "joe" cannot list resource "registrycredentials" in API group "regcred.dev" at the cluster scope\n$/,
  )
  const own = (await lab.cluster.auditLog(start)).filter(({ userAgent }) => userAgent.startsWith('kubectl-regcred/'))
  expect(own.map(({ user }) => user)).toEqual([expect.stringMatching(/^user-/), 'test-admin'])
  const groups = ['--as', 'joe', '--as-group', 'system:masters']
  expect((await regcred(['status', '-o', 'json', ...groups])).code).toBe(0)
})

test('a server that is not there, or that knows no such kind, is told in one line', async () => {
  const [port] = await freePorts(1)
  const config = JSON.parse(readFileSync(sharedCluster().adminKubeconfig, 'utf8'))
  config.clusters[0].cluster.server = `https://127.0.0.1:${port}`
  const file = join(folder(), 'kubeconfig')
  writeFileSync(file, JSON.stringify(config))
  expect(await regcred(['status'], { kubeconfig: file })).toEqual({
    code: 2,
    stdout: '',
    stderr: `The connection to the server https://127.0.0.1:${port} was refused - did you specify the right host or port?\n`,
  })
  config.clusters[0].cluster.server = `${sharedCluster().server}/apis/apps`
  writeFileSync(file, JSON.stringify(config))
  const unknown = await regcred(['status'], { kubeconfig: file })
  expect(unknown).toMatchObject({ code: 2, stdout: '' })
  expect(unknown.stderr).toMatch(/^error: the server doesn't have a resource type "registrycredentials"/)
})

test('a kubeconfig whose plugin fails is told without what the plugin wrote', async () => {
  const config = JSON.parse(readFileSync(sharedCluster().adminKubeconfig, 'utf8'))
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', 'echo s3cret >&2; exit 1'] }
  config.users[0].user = { exec: { ...exec, interactiveMode: 'Never' } }
  const file = join(folder(), 'kubeconfig')
  writeFileSync(file, JSON.stringify(config))
  const { code, stdout, stderr } = await regcred(['status'], { kubeconfig: file })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(
    /^error: the kubeconfig gives no credentials for https:\S+ \(CREDENTIALS\S*\); kubectl get --raw \/version tells more\n$/,
  )
})

test('npm installs it under the names that kubectl looks for', async () => {
  expect(Object.keys(packageJson.bin)).toEqual(['kubectl-regcred', 'kubectl_complete-regcred'])
  const bin = folder()
  mkdirSync(join(bin, 'sub'))
  for (const [name, file] of Object.entries(packageJson.bin)) {
    const target = join(await pluginFolder(), file.replace('dist/', ''))
    symlinkSync(target, join(bin, 'sub', name))
  }
  const env = { PATH: [join(process.execPath, '..'), process.env.PATH].join(':'), KUBECONFIG: '/nonexistent' }
  const { stdout } = await promisify(execFile)(join(bin, 'sub', 'kubectl_complete-regcred'), ['stat'], { env })
  expect(stdout).toMatch(/^status\t.*\n:4\n$/)
})
