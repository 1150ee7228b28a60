/** The bundle is the operator: alone in a folder, without node_modules, as it is in the image. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
const bundle = join(folder, 'regcred-operator.mjs')

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env.PATH } })
}

beforeAll(() => {
  const { status, stderr } = node(join(root, 'scripts', 'build.ts'), folder)
  if (status !== 0) throw new Error(stderr)
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

test('it prints its help, and no warning', () => {
  const { status, stdout, stderr } = node(bundle, '--help')
  expect(stdout).toContain('--secret-name <name>')
  expect([status, stderr]).toEqual([0, ''])
})

test('it knows its version', () => {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(node(bundle, '--version').stdout).toBe(`${version}\n`)
})

test('it serves the first example and cleans up after it', async () => {
  const cluster = await startCluster({ say: () => {} })
  const { kubectl } = cluster
  try {
    await installOperator(cluster)
    const operator = await startOperator({ cluster, command: [process.execPath, bundle] })
    const example = join(root, 'examples', '01-docker-hub')
    await kubectl('apply', '--server-side', '-f', join(example, 'source.yaml'), '-f', join(example, 'credential.yaml'))
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'rcred/dockerhub')
    expect(await kubectl('get', 'secret', 'regcred', '--namespace=shop', '-o=name')).toBe('secret/regcred\n')
    const links = 'jsonpath={.imagePullSecrets[*].name}'
    expect(await kubectl('get', 'serviceaccount', 'default', '--namespace=shop', `-o=${links}`)).toBe('regcred')
    await kubectl('delete', 'rcred', 'dockerhub', '--timeout=60s')
    expect(await kubectl('get', 'serviceaccount', 'default', '--namespace=shop', `-o=${links}`)).toBe('')
    await kubectl('wait', '--for=delete', '--timeout=60s', '--namespace=shop', 'secret/regcred')
    expect(await operator.stop()).toBe(0)
  } finally {
    await cluster.stop()
  }
})
