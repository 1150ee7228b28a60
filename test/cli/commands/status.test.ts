/** What became of credentials, as the real API server has it; their statuses are forged where no operator is needed. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import type { RegistryCredential, RegistryCredentialStatus } from '../../../src/api/registry-credential.ts'
import { credentialsPath } from '../../../src/controller/watches.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab } from '../../controller/lab.ts'
import { condition, namespaces } from '../credentials.ts'
import { cellsOf, regcred, startRegcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

let lab: Lab
let good: string
let bad: string

beforeAll(async () => {
  lab = new Lab()
  good = await lab.credential('good', { source: { secretRef: { name: 'any' } } })
  bad = await lab.credential('bad', { source: { secretRef: { name: 'any' } } })
  await tell(good, {
    conditions: [condition('Ready', 'True', 'Succeeded'), condition('Verified', 'True', 'Accepted')],
    namespaces: namespaces(3, 3),
    credential: { registries: ['ghcr.io'], expiresAt: new Date(Date.now() + 5.5 * 3_600_000).toISOString() },
  })
  await tell(bad, {
    conditions: [condition('Ready', 'False', 'NamespacesFailed', '1 namespace failed of 2.')],
    namespaces: namespaces(2, 1, 1),
    failures: [{ namespace: 'shop', reason: 'NotOwned', message: 'A foreign Secret has the name regcred.' }],
  })
})
afterAll(() => lab.close())

/** As the operator would. */
async function tell(name: string, status: RegistryCredentialStatus): Promise<void> {
  await lab.patch(`${credentialsPath}/${name}/status`, { status })
}

test('a table of those that are named, then what is wrong with them', async () => {
  const { code, stdout, stderr } = await regcred(['status', good, bad])
  expect([code, stderr]).toEqual([0, ''])
  expect(cellsOf(stdout)).toEqual([
    ['NAME', 'READY', 'VERIFIED', 'EXPIRES', 'NAMESPACES', 'FAILED', 'AGE'],
    [good, 'True', 'True', expect.stringMatching(/^in 5h[23]\dm$/), '3/3', '0', expect.stringMatching(/^\d+m?\d*s$/)],
    [bad, 'False', '<none>', '<none>', '1/2', '1', expect.stringMatching(/^\d+m?\d*s$/)],
    ['NAME', 'NAMESPACE', 'REASON', 'MESSAGE'],
    [bad, 'shop', 'NotOwned', 'A foreign Secret has the name regcred.'],
  ])
})

test('without a name it is all of them, and -o wide tells why', async () => {
  const rows = cellsOf((await regcred(['status', '-o', 'wide'])).stdout)
  expect(rows[0]?.slice(-3)).toEqual(['CONTENDED', 'REASON', 'MESSAGE'])
  expect(rows.find(([name]) => name === good)?.slice(-2)).toEqual(['Succeeded', 'Succeeded.'])
  expect(rows.find(([name]) => name === bad)?.slice(-2)).toEqual(['NamespacesFailed', '1 namespace failed of 2.'])
})

test('-o json and yaml print what kubectl does: the object, or a List', async () => {
  const read = async (...args: string[]) => JSON.parse((await regcred(['status', '-o', 'json', ...args])).stdout)
  expect(await read(good)).toEqual(JSON.parse(await lab.cluster.kubectl('get', 'rcred', good, '-o', 'json')))
  const { kind, items }: { kind: string; items: RegistryCredential[] } = await read(good, bad)
  expect([kind, ...items.map(({ metadata }) => metadata.name)]).toEqual(['List', good, bad])
  const yaml = await regcred(['status', good, '-o', 'yaml'])
  expect(parse(yaml.stdout)).toEqual(await read(good))
  expect(yaml.stdout).toBe(await lab.cluster.kubectl('get', 'rcred', good, '-o', 'yaml'))
})

test('one that is not there is told beside those that are, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await regcred(['status', 'not-there', good])
  expect([code, stderr]).toEqual([
    1,
    'Error from server (NotFound): registrycredentials.regcred.dev "not-there" not found\n',
  ])
  expect(cellsOf(stdout)[1]?.[0]).toBe(good)
})

test('--watch adds a row whenever one changes, and one when it goes', async () => {
  const name = await lab.credential('watched', { source: { secretRef: { name: 'any' } } })
  const { child, ...seen } = await startRegcred(['status', '--watch', name])
  const output = () => cellsOf(seen.read())
  try {
    await eventually(() =>
      expect(output().at(-1)).toEqual([
        name,
        '<unknown>',
        '<none>',
        '<none>',
        '<unknown>',
        '<unknown>',
        expect.anything(),
      ]),
    )
    await tell(name, { conditions: [condition('Ready', 'True', 'Succeeded')], namespaces: namespaces(1, 1) })
    await eventually(() => expect(output().at(-1)?.slice(0, 5)).toEqual([name, 'True', '<none>', '<none>', '1/1']))
    await tell(bad, { pods: { stuck: 1 } })
    await lab.deleteCredential(name)
    await eventually(() => expect(output()).toHaveLength(4))
    expect(output().map(([first]) => first)).toEqual(['NAME', name, name, name])
  } finally {
    child.kill()
  }
})

test('one that is not there yet is told and waited for: --watch prints the headers with the first', async () => {
  const { child, ...seen } = await startRegcred(['status', '--watch', '--request-timeout', '20s', lab.unique('late')])
  try {
    await eventually(() => expect(seen.read()).toContain('not found'))
    const name = await lab.credential('late', { source: { secretRef: { name: 'any' } } })
    await eventually(() =>
      expect(cellsOf(seen.read()).map(([first]) => first)).toEqual([expect.stringContaining('NotFound'), 'NAME', name]),
    )
  } finally {
    child.kill()
  }
})

test('rights: who may get one sees that one; who may not watch is told so', async () => {
  const kubeconfig = await userWith({ cluster: [{ ...credentialsRight('get'), resourceNames: [good] }] })
  expect((await regcred(['status', good], { kubeconfig })).code).toBe(0)
  const all = await regcred(['status'], { kubeconfig })
  expect([all.code, all.stdout]).toEqual([2, ''])
  expect(all.stderr).toContain('cannot list resource "registrycredentials"')
  const watching = await regcred(['status', good, '--watch'], { kubeconfig })
  expect(watching.code).toBe(2)
  expect(watching.stderr).toMatch(
    /^Error from server \(Forbidden\): .*cannot (list|watch) resource "registrycredentials"/,
  )
})
