/**
 * The installation as users do it (docs/how-to/install.md): the image is built from the Dockerfile and pushed to a registry that
 * wants a login, and config/default is applied as it stands, with what users add to it for such a registry: the names of the
 * image and of the Secret that it is pulled with (config/overlays/air-gapped). The two pods run on a real node, of a control
 * plane on which no test has installed anything.
 *
 * What a cluster has and this one has not: a scheduler, whose part the test takes, as there is one node to choose; and
 * kube-proxy, see pod-network.ts.
 */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import { basic } from '../../src/registry/registry-client.ts'
import { startCluster } from '../cluster/cluster.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { podsPath } from '../controller/pods-lab.ts'
import { openLayout } from '../image/archive.ts'
import { buildImage } from '../image/build.ts'
import { partMissing } from '../parts/parts.ts'
import { pushImage, pushLayout } from '../parts/push.ts'
import { type Registry, startRegistry } from '../parts/registry.ts'
import { testWith } from '../parts/skip.ts'
import { sleeper } from './images.ts'
import { nodeName, startNode } from './node.ts'
import { type Pod, Pods } from './pods.ts'

const parts = ['kubelet', 'containerd', 'buildah'] as const
const testInPods = testWith(...parts)
/** Another run on this machine may have its node for some minutes. */
const hookTimeoutMs = 900_000

const config = join(import.meta.dirname, '..', '..', 'config')
const robot = { username: 'robot', password: 'of-the-platform' }

interface Replica extends Pod {
  spec: Pod['spec'] & { nodeName?: string }
}

interface Lease extends KubeObject {
  spec: { holderIdentity?: string }
}

const ends = new AsyncDisposableStack()
let lab: Lab
let pods: Pods
let registry: Registry
let credential: string

beforeAll(async () => {
  if (partMissing(...parts)) return
  const folder = await mkdtemp(join(realpathSync(tmpdir()), 'operator-pod-'))
  ends.defer(() => rm(folder, { recursive: true }))
  registry = await startRegistry({ auth: { htpasswd: { robot: robot.password } } })
  ends.defer(registry.stop)
  await pushOperator(folder, 'platform/regcred-operator', 'built')

  const cluster = await startCluster({ say: () => {} })
  ends.defer(cluster.stop)
  const node = await startNode(cluster)
  ends.defer(node.stop)
  lab = new Lab(cluster)
  pods = new Pods(lab)
  const overlay = overlayFor(folder, `${registry.host}/platform/regcred-operator`, 'built')
  await install(overlay)
  ends.defer(async () => void (await cluster.kubectl('delete', '-k', overlay)))
  ends.defer(() => lab.close())
}, hookTimeoutMs)

afterAll(() => ends.disposeAsync(), hookTimeoutMs)

async function pushOperator(folder: string, repository: string, tag: string): Promise<void> {
  const archive = join(folder, 'image.tar')
  await buildImage({ archive, name: `${registry.host}/${repository}:${tag}` })
  const layout = join(folder, 'layout')
  mkdirSync(layout)
  const headers = { authorization: basic(robot) }
  await pushLayout(registry.url, repository, tag, headers, openLayout(archive, layout))
}

/** What a user makes of the overlay: the same with names of his own. @returns its folder */
function overlayFor(folder: string, image: string, tag: string): string {
  const names: [was: string, is: string][] = [
    ['../../default', relative(folder, join(config, 'default'))],
    ['newName: registry.example.com/regcred/regcred-operator', `newName: ${image}`],
    [`newTag: ${packageJson.version}`, `newTag: ${tag}`],
  ]
  let text = readFileSync(join(config, 'overlays', 'air-gapped', 'kustomization.yaml'), 'utf8')
  for (const [was, is] of names) {
    expect(text).toContain(was)
    text = text.replace(was, is)
  }
  writeFileSync(join(folder, 'kustomization.yaml'), text)
  return folder
}

/** By the commands of the page. */
async function install(overlay: string): Promise<void> {
  const { kubectl } = lab.cluster
  await kubectl('create', 'namespace', operatorNamespace)
  const login = [`--docker-username=${robot.username}`, `--docker-password=${robot.password}`]
  const secret = ['create', 'secret', 'docker-registry', 'regcred-operator-pull', `--docker-server=${registry.host}`]
  await kubectl('-n', operatorNamespace, ...secret, ...login)
  await kubectl('apply', '--server-side', '-k', overlay)
}

async function replicas(): Promise<Replica[]> {
  const query = { labelSelector: 'app.kubernetes.io/name=regcred-operator' }
  const { items } = await lab.client.get<KubeList<Replica>>(podsPath(operatorNamespace), { query })
  return items ?? []
}

/** Binds replicas to the node, as a scheduler does, once there are this many that have none. */
async function schedule(count: number): Promise<void> {
  const waiting = await eventually(async () => {
    const found = (await replicas()).filter(({ spec }) => spec.nodeName === undefined)
    return found.length === count && found
  })
  for (const { metadata } of waiting) {
    const binding = { metadata: { name: metadata.name }, target: { kind: 'Node', name: nodeName } }
    const path = `${podsPath(operatorNamespace)}/${metadata.name}/binding`
    await lab.client.create(path, binding, { fieldManager: 'test' })
  }
}

/** Waits until both are ready, and fails where one had to be started again. @returns their names */
async function bothReady(): Promise<string[]> {
  const ready = async () => {
    const found = await replicas()
    const containers = found.flatMap(({ status }) => status.containerStatuses ?? [])
    if (containers.length === 2 && containers.every((each) => each.ready)) return found
    throw new Error(JSON.stringify(found.map(({ status }) => status)))
  }
  const found = await eventually(ready, { describe: 'that both replicas are ready', timeoutMs: 300_000 })
  const restarts = found.map(({ status }) => status.containerStatuses?.map(({ restartCount }) => restartCount))
  expect(restarts).toEqual([[0], [0]])
  return found.map(({ metadata }) => metadata.name)
}

/** The name of the pod that has the lease. */
async function leader(): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/regcred-operator`
  const { spec } = await lab.client.get<Lease>(path)
  return spec.holderIdentity?.split('_')[0] ?? ''
}

/** Makes a namespace and waits until a pod in it runs a private image, by what the operator has brought there. */
async function serve(name: string): Promise<void> {
  const namespace = await lab.namespace(name, { [`use.regcred.dev/${credential}`]: 'true' })
  await pods.inherit(namespace)
  const pod = await pods.running(await pods.make(namespace, 'app', `${registry.host}/team/app:1`))
  await pods.remove(pod)
}

testInPods('the image of the Dockerfile runs in two pods, which become ready, and of which one leads', async () => {
  await schedule(2)
  const names = await bothReady()
  expect(names).toContain(await eventually(leader))
})

testInPods('they serve the cluster: a private image runs in a namespace that opts in', async () => {
  await pushImage(registry.url, 'team/app', '1', { authorization: basic(robot) }, { image: sleeper('private') })
  const source = await lab.source('private', { [registry.host]: robot })
  credential = await lab.credential('private', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('first'), lab.unique('second')], optIn: true },
  })
  await lab.ready(credential)
  await serve('first')
})

testInPods('when the pod of the leader is killed the other takes over and serves on, and a new one comes', async () => {
  const killed = await leader()
  const other = (await replicas()).map(({ metadata }) => metadata.name).filter((name) => name !== killed)
  await lab.cluster.kubectl('delete', 'pod', killed, `--namespace=${operatorNamespace}`, '--grace-period=0', '--force')
  await eventually(async () => expect(other).toEqual([await leader()]))
  await serve('second')
  await schedule(1)
  const names = await bothReady()
  expect(names).toEqual(expect.arrayContaining(other))
  expect(names).not.toContain(killed)
})
