/** From a RegistryCredential to containers that run: a real kubelet pulls from a real registry that wants a login. */
import { afterAll, beforeAll, expect } from '@jest/globals'
import { basic } from '../../src/registry/registry-client.ts'
import { regcred } from '../cli/plugin.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { allowEvictions, namesOf, reasons } from '../controller/pods-lab.ts'
import { pushImage } from '../parts/push.ts'
import { startRegistry } from '../parts/registry.ts'
import { sleeper } from './images.ts'
import { startNode } from './node.ts'
import { type Pod, Pods } from './pods.ts'
import { nodeMissing, testOnNode } from './skip.ts'

const robot = { username: 'robot', password: 'of-private-images' }
/** containerd 1.6, and 2. */
const refused = /ErrImagePull.*(401 Unauthorized|no basic auth credentials)/s

const ends = new AsyncDisposableStack()
let lab: Lab
let pods: Pods
let image: string
let credential: string

beforeAll(async () => {
  if (nodeMissing) return
  const registry = await startRegistry({ auth: { htpasswd: { robot: robot.password } } })
  ends.defer(registry.stop)
  await pushImage(registry.url, 'team/app', '1', { authorization: basic(robot) }, { image: sleeper('private') })
  image = `${registry.host}/team/app:1`

  const operator = await startOperator()
  ends.defer(async () => void (await operator.stop()))
  const node = await startNode()
  ends.defer(node.stop)
  lab = new Lab()
  ends.defer(() => lab.close())
  pods = new Pods(lab)

  const source = await lab.source('private', { [registry.host]: robot })
  credential = await lab.credential('private', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('selected')], optIn: true },
    healPods: 'Evict',
    verify: { policy: 'Enforce', image },
  })
  await lab.condition(credential, 'Verified', 'True')
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(() => ends.disposeAsync(), OPERATOR_HOOK_TIMEOUT_MS)

async function optIn(namespace: string): Promise<void> {
  await lab.label(namespace, { [`use.regcred.dev/${credential}`]: 'true' })
  await pods.inherit(namespace)
}

async function told(pod: Pod, expected: string[]): Promise<void> {
  await eventually(async () => expect(await reasons(lab, pod)).toEqual(expected))
}

testOnNode('in a selected namespace a private image runs, and its manifest says nothing of a login', async () => {
  const namespace = await lab.namespace('selected')
  await pods.inherit(namespace)
  const pod = await pods.running(await pods.deploy(namespace, image))
  expect(namesOf(pod)).toEqual(['regcred'])
  const manifest = await lab.cluster.kubectl('get', 'deployment', 'web', '--namespace', namespace, '--output=yaml')
  expect(manifest).toContain(image)
  expect(manifest).not.toMatch(/secret|regcred/i)
})

testOnNode('in a namespace that is not selected it does not, though the node has it already', async () => {
  const namespace = await lab.namespace('stranger')
  await pods.waiting(await pods.make(namespace, 'app', image), refused)
})

testOnNode(
  'when a namespace opts in its next pod runs; the one that was stuck is told about, and replaced',
  async () => {
    const forbid = await allowEvictions(lab)
    const namespace = await lab.namespace('late')
    const stuck = await pods.deploy(namespace, image)
    await pods.waiting(stuck, refused)
    expect(namesOf(stuck)).toEqual([])
    await optIn(namespace)
    await pods.running(await pods.make(namespace, 'next', image))
    const successor = await pods.running(await pods.ofDeployment(namespace, stuck))
    expect(namesOf(successor)).toEqual(['regcred'])
    await told(stuck, ['Evicted', 'NotReferenced'])
    await forbid()
  },
)

testOnNode('a pod that names a Secret that is yet to come runs when it has come, without being made anew', async () => {
  const namespace = await lab.namespace('early')
  const pod = await pods.make(namespace, 'app', image, { pullSecrets: ['regcred'] })
  await pods.waiting(pod, refused)
  await optIn(namespace)
  const { status } = await pods.running(pod)
  expect(status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0])
})

testOnNode(
  'a malformed Secret of others stops a pod; explain says which and what to do, and that heals it',
  async () => {
    const namespace = await lab.namespace('malformed')
    await optIn(namespace)
    const config = JSON.stringify({ auths: { 'old.example.com': { auth: '!!!notbase64' } } })
    await lab.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: 'legacy' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': config },
    })
    const pod = await pods.make(namespace, 'app', image, { pullSecrets: ['regcred', 'legacy'] })
    await pods.waiting(pod, /illegal base64 data/)
    await told(pod, ['MalformedSecret'])

    const { code, stdout } = await regcred(['explain', 'pod/app', '-n', namespace])
    expect(stdout).toContain(`${image}: will not be pulled\n  The kubelet cannot read Secret legacy (`)
    const cure = `kubectl delete secret legacy -n ${namespace}`
    expect(stdout).toContain(`  What to do:\n    Mend it or delete it: ${cure}\n`)
    expect(code).toBe(1)
    await lab.cluster.kubectl(...cure.split(' ').slice(1))
    await pods.running(pod)
  },
)
