/**
 * The operator's memory in a cluster that is full of what it has nothing to do with: Secrets of others, and pods that run.
 * On a control plane of its own, which would be slower for all others.
 */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { inParallel } from '../test/support/in-parallel.ts'
import { connections, Stage } from './stage.ts'
import { type Memory, operatorRound } from './throughput.ts'

export interface Crowd {
  namespaces: number
  secrets: number
  secretKiB: number
  pods: number
  without: Memory
  with: Memory
  /** The size of etcd's file with them. */
  etcdMiB: number
}

/** How many there are. */
export type Size = Pick<Crowd, 'namespaces' | 'secrets' | 'pods'>

const secretKiB = 32
const options = { fieldManager: 'bench' }

export async function measureCrowd({ namespaces, secrets, pods }: Size): Promise<Crowd> {
  const stage = await Stage.set()
  await stage.grow(namespaces)
  const without = (await operatorRound(stage)).memory
  await inParallel(Array(secrets).keys(), connections, (index) => makeSecret(stage, index))
  await inParallel(Array(pods).keys(), connections, (index) => makePod(stage, index))
  const crowded = (await operatorRound(stage)).memory
  const { size } = statSync(join(stage.cluster.dir, 'etcd', 'member', 'snap', 'db'))
  await stage.strike()
  return { namespaces, secrets, secretKiB, pods, without, with: crowded, etcdMiB: Math.round(size / 2 ** 20) }
}

/** The namespaces in turn. */
function pathIn({ namespaces }: Stage, index: number, resource: string): string {
  return `/api/v1/namespaces/${namespaces[index % namespaces.length]}/${resource}`
}

async function makeSecret(stage: Stage, index: number): Promise<void> {
  const data = { data: randomBytes(secretKiB * 1024).toString('base64') }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: `unrelated-${index}` }, data }
  await stage.lab.client.create(pathIn(stage, index, 'secrets'), secret, options)
}

/** Without a node, so that nobody takes it away; it runs all the same, as far as its status tells. */
async function makePod(stage: Stage, index: number): Promise<void> {
  const name = `app-${index}`
  const image = 'registry.example.com/team/app:1.0'
  const container = { name: 'app', image, resources: { requests: { cpu: '10m', memory: '16Mi' } } }
  const metadata = { name, labels: { 'app.kubernetes.io/name': 'app' } }
  const path = pathIn(stage, index, 'pods')
  await stage.lab.client.create(
    path,
    { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container] } },
    options,
  )
  const now = new Date().toISOString()
  const running = {
    name: 'app',
    image,
    imageID: image,
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
  }))
  const status = { phase: 'Running', startTime: now, conditions, containerStatuses: [running] }
  await stage.lab.client.mergePatch(`${path}/${name}/status`, { status }, options)
}
