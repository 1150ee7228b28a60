/** The README's demo, as a newcomer starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'

const script = ['--disable-warning=ExperimentalWarning', join('scripts', 'demo.ts')]
const { NODE_OPTIONS, CI, ...env } = process.env
let demo: ChildProcess
let output = ''

beforeAll(() => {
  demo = spawn(process.execPath, script, { cwd: join(import.meta.dirname, '..', '..'), env })
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (text) => (output += text))
})

afterAll(() => {
  demo.kill('SIGKILL')
})

test('it tells its story, stays up with nothing left of it, can be talked to, and ends on Ctrl-C', async () => {
  await eventually(
    () => {
      if (demo.exitCode !== null) throw new Error(`it ended with ${demo.exitCode}`)
      expect(output).toContain('Ctrl-C ends both')
    },
    { timeoutMs: 300_000, describe: 'the end of the story' },
  )
  const kubeconfig = /export KUBECONFIG=(\S+)/.exec(output)?.[1] ?? ''
  const kubectl = (...args: string[]) => sharedCluster().kubectl('--kubeconfig', kubeconfig, ...args)
  expect(await kubectl('get', 'rcred', '-o', 'name')).toBe('')
  const namespaces = (await kubectl('get', 'namespaces', '-o', 'name')).trim().split('\n')
  expect(namespaces.sort()).toEqual(
    ['default', 'kube-node-lease', 'kube-public', 'kube-system', 'regcred-system'].map((name) => `namespace/${name}`),
  )
  const secrets = (await kubectl('get', 'secrets', '-A', '-o', 'name')).trim().split('\n')
  expect(secrets.filter((name) => !/^secret\/regcred-operator-(key|state-.)$/.test(name))).toEqual([])
  expect(await kubectl('get', 'secrets', '-A', '-o', 'jsonpath={.items[?(@.type=="regcred.dev/state")].data}')).toBe('')
  const probes = /(http:\S+)\/readyz/.exec(output)?.[1]
  expect((await fetch(`${probes}/readyz`)).status).toBe(200)
  expect(demo.exitCode).toBeNull()

  demo.kill('SIGINT')
  await eventually(() => expect(demo.exitCode).toBe(0))
  expect(existsSync(dirname(kubeconfig))).toBe(false)
}, 360_000)
