/** Nothing of a node outlives its owner, not even its containers, which are nobody's children. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { scripts } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { nodeName, podGroups, startNode } from './node.ts'
import { sandboxImage } from './node-files.ts'
import { type Pod, Pods } from './pods.ts'
import { testOnNode } from './skip.ts'

/** Another run on this machine may have its node for some minutes. */
const timeoutMs = 900_000

const script = scripts()
const nothing = { processes: [], mounts: [], groups: [], networks: [], folder: false }

let lab: Lab
let pods: Pods

beforeAll(() => {
  lab = new Lab()
  pods = new Pods(lab)
})

afterAll(() => lab.close())

/** What there is on this machine of the node with this folder, and of its pod. */
function tracesOf(dir: string, { metadata: { uid } }: Pod) {
  const processes = globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    const words = textOf(file).replaceAll('\0', ' ')
    return words.includes(dir) ? [words] : []
  })
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return {
    processes,
    mounts: mounts.filter((line) => line.includes(` ${dir}/`)),
    // Another run may have a node by now.
    groups: podGroups().flatMap((group) => globSync(`${group}/*/pod${uid}`)),
    networks: globSync('/var/lib/cni/results/*').filter((file) => textOf(file).includes(dir)),
    folder: existsSync(dir),
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it is gone by now
  }
}

/** On the node, of the only image that it has from the beginning, and on a network of its own. */
async function runPod(name: string): Promise<Pod> {
  const pod = await pods.make(await lab.namespace(name), name, sandboxImage, { ownNetwork: true })
  return await pods.running(pod)
}

testOnNode(
  'when it is stopped, no process, mount, cgroup or file of it is left',
  async () => {
    const node = await startNode()
    const pod = await runPod('stopped')
    await pods.remove(pod)
    await node.stop()
    expect(tracesOf(node.dir, pod)).toEqual(nothing)
  },
  timeoutMs,
)

testOnNode(
  'nor when its owner is killed while a pod runs',
  async () => {
    const { child, firstLine } = script(`
      import { openCluster } from './access.ts'
      import { startNode } from '../e2e/node.ts'
      const node = await startNode(openCluster(${JSON.stringify(sharedCluster().dir)}))
      console.log(node.dir)
      setInterval(() => {}, 1000)
    `)
    const dir = await firstLine
    const pod = await runPod('killed')
    const { processes, mounts, groups, networks, folder } = tracesOf(dir, pod)
    expect([processes, mounts, groups, networks].map(({ length }) => length > 0)).toEqual([true, true, true, true])
    expect(processes.filter((words) => words.includes('containerd-shim'))).toHaveLength(1)
    expect(folder).toBe(true)
    child.kill('SIGKILL')
    await eventually(() => expect(tracesOf(dir, pod)).toEqual(nothing))

    const { namespace = '', name } = pod.metadata
    await lab.cluster.kubectl('delete', 'pod', name, '--namespace', namespace, '--force', '--grace-period=0')
    await lab.cluster.kubectl('delete', 'node', nodeName)
  },
  timeoutMs,
)
