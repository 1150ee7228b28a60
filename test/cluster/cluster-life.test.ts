/** What needs a control plane of its own: its parts are stopped, and its owner is killed. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openCluster } from './access.ts'
import { type OwnedCluster, startCluster } from './cluster.ts'
import { isAlive, scripts } from './temporary.ts'
import { eventually } from './wait.ts'

const script = scripts()
let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
})

afterAll(async () => {
  await cluster.stop()
})

test('the API server comes back with its data, its port and its certificates', async () => {
  await cluster.kubectl('create', 'namespace', 'kept')
  const before = cluster.apiserver.pid
  await cluster.apiserver.stop()
  await expect(cluster.kubectl('get', 'namespace', 'kept', '--request-timeout=5s')).rejects.toThrow('refused')
  await cluster.apiserver.start()
  expect(cluster.apiserver.pid).not.toBe(before)
  await expect(cluster.kubectl('get', 'namespace', 'kept', '-o', 'name')).resolves.toBe('namespace/kept\n')
})

test('a frozen API server does not answer until it goes on', async () => {
  cluster.apiserver.signal('SIGSTOP')
  await expect(cluster.kubectl('get', 'namespace', 'default', '--request-timeout=1s')).rejects.toThrow(
    /timeout|deadline/i,
  )
  cluster.apiserver.signal('SIGCONT')
  await eventually(async () => void (await cluster.kubectl('get', 'namespace', 'default')))
})

test('after the owner was killed nothing of its control plane runs, and its folder is gone', async () => {
  const { child, firstLine } = script(`
    import { startCluster } from './cluster.ts'
    const { dir, etcd, apiserver, controllerManager } = await startCluster({ say: () => {} })
    console.log(JSON.stringify({ dir, pids: [etcd.pid, apiserver.pid, controllerManager.pid] }))
    setInterval(() => {}, 1000)
  `)
  const { dir, pids } = JSON.parse(await firstLine) as { dir: string; pids: number[] }
  expect(pids.map(isAlive)).toEqual([true, true, true])
  await expect(openCluster(dir).kubectl('get', 'namespace', 'default', '-o', 'name')).resolves.toBe(
    'namespace/default\n',
  )
  child.kill('SIGKILL')
  await eventually(() => {
    expect(pids.map(isAlive)).toEqual([false, false, false])
    expect(existsSync(dir)).toBe(false)
  })
})

test('stopping leaves neither a process nor the folder', async () => {
  const pids = [cluster.etcd.pid, cluster.apiserver.pid, cluster.controllerManager.pid].map(Number)
  expect(pids.map(isAlive)).toEqual([true, true, true])
  await cluster.stop()
  expect(pids.map(isAlive)).toEqual([false, false, false])
  expect(existsSync(cluster.dir)).toBe(false)
})
