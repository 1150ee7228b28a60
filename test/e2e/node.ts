/**
 * A real node on this machine: kubelet and containerd, as root, of a control plane that runs already (Node authorizer,
 * NodeRestriction). Its pods name the node, since there is no scheduler. They are on the host's network, or on one of their own
 * where they have to be (pod-network.ts).
 *
 * One at a time on a machine, in whichever process, since a kubelet ends all pods that are not its own. Nothing of it
 * outlives the process that started it: no container, mount or cgroup (clean-up.sh).
 */
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from '../cluster/access.ts'
import { type Guard, startGuard } from '../cluster/guard.ts'
import { acquireLock, type Lock } from '../cluster/lock.ts'
import { freePorts } from '../cluster/ports.ts'
import { createServer, type Server } from '../cluster/server.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { partDir } from '../parts/parts.ts'
import { archiveOf, sleeper } from './images.ts'
import { sandboxImage, socketIn, writeMirror, writeNodeFiles } from './node-files.ts'
import { openPodNetwork, type PodNetwork } from './pod-network.ts'

export interface Node {
  /** Folder of its files and logs; gone after the end. */
  dir: string
  /** From the next pull on, images of this registry (host of their names) come from that URL. */
  mirror(registry: string, url: string): Promise<void>
  /** Waits until its pods are gone, which others delete. */
  stop(): Promise<void>
}

export const nodeName = 'test-node'

const lockFile = '/run/regcred-test-node.lock'
const cleanUp = readFileSync(join(import.meta.dirname, 'clean-up.sh'), 'utf8')

/** The cgroups of all pods on this machine, in each hierarchy where cgroups are of version 1. */
export function podGroups(): string[] {
  return globSync(['/sys/fs/cgroup/kubepods', '/sys/fs/cgroup/*/kubepods'])
}

/** Waits for the end of another node. */
export async function startNode(cluster: Cluster = sharedCluster()): Promise<Node> {
  const lock = await acquireLock(lockFile, () => {})
  try {
    // Of one whose owner was killed, until its guard has cleaned up; or a real one, with pods of somebody.
    await eventually(() => podGroups().length === 0, {
      describe: 'that no other kubelet has pods on this machine',
    })
    return await launch(cluster, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function launch(cluster: Cluster, lock: Lock): Promise<Node> {
  const dir = await mkdtemp(join(tmpdir(), 'regcred-node-'))
  const guard = startGuard(dir, cleanUp)
  const servers: Server[] = []
  let network: PodNetwork | undefined
  const end = async () => {
    for (const server of servers.reverse()) await server.stop()
    await network?.close()
    guard.end()
    await eventually(() => !existsSync(dir), { describe: 'the clean-up of the node' })
  }
  try {
    const [port = 0] = await freePorts(1)
    await writeNodeFiles(dir, port)
    network = await openPodNetwork(dir, cluster.server)
    servers.push(await startContainerd(dir, guard))
    servers.push(await startKubelet(cluster, dir, guard))
  } catch (error) {
    await end()
    throw error
  }
  return {
    dir,
    mirror: (registry, url) => writeMirror(dir, registry, url),
    async stop() {
      const pods = ['get', 'pods', '--all-namespaces', `--field-selector=spec.nodeName=${nodeName}`, '--output=name']
      try {
        await eventually(async () => (await cluster.kubectl(...pods)) === '', { describe: 'the end of all pods' })
      } finally {
        await end().finally(lock.release)
        await cluster.kubectl('delete', 'node', nodeName)
      }
    },
  }
}

/** With the image of the sandboxes, but no other. */
async function startContainerd(dir: string, guard: Guard): Promise<Server> {
  const programs = partDir('containerd')
  const ctr = (...args: string[]) => promisify(execFile)(join(programs, 'ctr'), ['--address', socketIn(dir), ...args])
  const server = createServer({
    name: 'containerd',
    binary: join(programs, 'containerd'),
    args: ['--config', join(dir, 'containerd.toml')],
    // Where it finds its shim, and that finds runc.
    env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
    logFile: join(dir, 'containerd.log'),
    guard,
    ready: () => ctr('version'),
  })
  await server.start()
  const archive = join(dir, 'pause.tar')
  await writeFile(archive, archiveOf(sandboxImage, sleeper('pause')))
  await ctr('--namespace', 'k8s.io', 'images', 'import', archive)
  return server
}

async function startKubelet(cluster: Cluster, dir: string, guard: Guard): Promise<Server> {
  const kubeconfig = await cluster.kubeconfigFor({ user: `system:node:${nodeName}`, groups: ['system:nodes'] })
  const ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
  const server = createServer({
    name: 'kubelet',
    binary: join(partDir('kubelet'), 'kubelet'),
    args: [
      `--config=${join(dir, 'kubelet.yaml')}`,
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${nodeName}`,
      `--root-dir=${join(dir, 'kubelet')}`,
      `--cert-dir=${join(dir, 'pki')}`,
    ],
    logFile: join(dir, 'kubelet.log'),
    guard,
    ready: async () => {
      const status = await cluster.kubectl('get', 'node', nodeName, '--output', ready)
      if (status !== 'True') throw new Error(`the node is Ready: ${status}`)
    },
  })
  await server.start()
  return server
}
