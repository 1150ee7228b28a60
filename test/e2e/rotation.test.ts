/**
 * Logins that change and end, as a real kubelet sees it: what runs goes on, what starts gets the login of the day, and
 * public images are pulled without any. The operator's clock is set ahead where hours have to pass.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { basic } from '../../src/registry/registry-client.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, startOperator } from '../cluster/operator.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, operatorNamespace } from '../controller/lab.ts'
import { LeaseIssuer } from '../controller/lease-issuer.ts'
import { podsPath } from '../controller/pods-lab.ts'
import { pushImage } from '../parts/push.ts'
import { type Registry, startRegistry } from '../parts/registry.ts'
import { startTokenServer } from '../parts/token-server.ts'
import { awsIssuer, hostIn, longTermKeys, passwordOf } from '../sources/aws-issuer.ts'
import { startIssuer } from '../sources/issuer-server.ts'
import { sleeper } from './images.ts'
import { type Node, startNode } from './node.ts'
import { type Pod, Pods } from './pods.ts'
import { nodeMissing, testOnNode } from './skip.ts'

const hourMs = 3_600_000
const region = 'eu-central-1'
const clockFile = 'clock-of-rotation'

const robot = (password: string): Login => ({ username: 'robot', password })

const ends = new AsyncDisposableStack()
let lab: Lab
let node: Node
let pods: Pods
let registry: Registry
/** By which the operator's clock is ahead, in milliseconds. */
let aheadMs = 0
/** What AWS gives next. */
const wish = { secret: 'first', expiresAt: new Date() }

beforeAll(async () => {
  if (nodeMissing) return
  registry = await startRegistry({ auth: { htpasswd: { robot: 'first', guest: 'first' } }, accessLog: true })
  ends.defer(registry.stop)
  for (const tag of ['1', '2']) await push('team/rotated', tag)
  const aws = await startIssuer(awsIssuer(() => wish))
  ends.defer(aws.stop)

  setClock(0)
  const shim = join(import.meta.dirname, '..', 'process', 'shifted-clock.ts')
  const operator = await startOperator({
    command: [process.execPath, '--disable-warning=ExperimentalWarning', `--import=${shim}`, 'src/main.ts'],
    env: { CLOCK_FILE: join(sharedCluster().dir, clockFile), AWS_ENDPOINT_URL: aws.url },
  })
  ends.defer(async () => void (await operator.stop()))
  node = await startNode()
  ends.defer(node.stop)
  lab = new Lab()
  ends.defer(() => lab.close())
  pods = new Pods(lab)
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(() => ends.disposeAsync(), OPERATOR_HOOK_TIMEOUT_MS)

function setClock(ms: number): void {
  aheadMs = ms
  writeFileSync(join(sharedCluster().dir, clockFile), String(ms))
}

async function push(repository: string, tag: string): Promise<void> {
  const image = sleeper(`${repository}:${tag}`)
  await pushImage(registry.url, repository, tag, { authorization: basic(robot('first')) }, { image })
}

/** How often the node has asked for the manifest of an image of this repository and got it. */
async function asked(repository: string): Promise<number> {
  const requests = await registry.requests()
  return requests.filter(
    ({ userAgent, path, status }) =>
      userAgent.startsWith('containerd') && path.startsWith(`/v2/${repository}/manifests/`) && status === 200,
  ).length
}

async function arrived(namespace: string, logins: Record<string, Login>): Promise<void> {
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(logins))
}

function containersOf({ status }: Pod): unknown[] {
  return (status.containerStatuses ?? []).map(({ containerID, restartCount }) => [containerID, restartCount])
}

testOnNode(
  'a rotation leaves running pods alone, and images that were pulled are good without another look',
  async () => {
    const repository = 'team/rotated'
    const image = `${registry.host}/${repository}`
    const source = await lab.source('rotated', { [registry.host]: robot('first') })
    const namespace = await lab.namespace('rotated')
    await lab.credential('rotated', {
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace], optIn: true },
      verify: { policy: 'Enforce', image: `${image}:1` },
    })
    await pods.inherit(namespace)
    const before = await pods.running(await pods.make(namespace, 'before', `${image}:1`))
    const pulls = await asked(repository)
    expect(pulls).toBeGreaterThan(0)

    await registry.setHtpasswd({ robot: 'second', guest: 'first' })
    await lab.rotate(source, { [registry.host]: robot('second') })
    await arrived(namespace, { [registry.host]: robot('second') })
    await pods.running(await pods.make(namespace, 'after', `${image}:1`))
    expect(await asked(repository)).toBe(pulls)
    await pods.running(await pods.make(namespace, 'other', `${image}:2`))
    expect(await asked(repository)).toBeGreaterThan(pulls)
    expect(containersOf(await pods.running(before))).toEqual(containersOf(before))
  },
)

testOnNode('a Secret that is deleted and made anew for a rotation has the registry asked again', async () => {
  const repository = 'team/rotated'
  const image = `${registry.host}/${repository}:1`
  const namespace = await lab.namespace('remade')
  const make = async (login: Login) => {
    const config = JSON.stringify({ auths: { [registry.host]: login } })
    await lab.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: 'own' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': config },
    })
  }
  // Not the login of another Secret: the kubelet knows that the node has the image by it.
  const guest = (password: string): Login => ({ username: 'guest', password })
  const run = async (name: string) =>
    await pods.running(await pods.make(namespace, name, image, { pullSecrets: ['own'] }))

  await make(guest('first'))
  const first = await run('first')
  const pulls = await asked(repository)
  const second = await run('second')
  expect(await asked(repository)).toBe(pulls)

  // While a pod names it, the kubelet may show the old one for a moment.
  for (const pod of [first, second]) await pods.remove(pod)
  await lab.cluster.kubectl('delete', 'secret', 'own', '--namespace', namespace)
  await registry.setHtpasswd({ guest: 'second' })
  await make(guest('second'))
  await run('third')
  expect(await asked(repository)).toBeGreaterThan(pulls)
})

testOnNode('a login that has ended keeps public images from being pulled until the operator takes it out', async () => {
  const grants = { 'public/app': ['pull', 'push'] }
  const tokens = await startTokenServer({
    users: { robot: { password: 'pusher', grants } },
    publicRepositories: ['public/app'],
  })
  ends.defer(tokens.stop)
  const hub = await startRegistry({ auth: { token: tokens.trust } })
  ends.defer(hub.stop)
  const scope = 'repository:public/app:pull,push'
  const answer = await fetch(`${tokens.trust.realm}?${new URLSearchParams({ service: tokens.trust.service, scope })}`, {
    headers: { authorization: basic(robot('pusher')) },
  })
  const { token } = (await answer.json()) as { token: string }
  await pushImage(hub.url, 'public/app', '1', { authorization: `Bearer ${token}` }, { image: sleeper('public') })

  const issuer = await LeaseIssuer.start(lab, 'ended')
  ends.defer(() => issuer.server.stop())
  issuer.seconds = 12 * 3_600
  const namespace = await lab.namespace('ended')
  await lab.credential('ended', {
    source: issuer.source,
    registries: [hub.host],
    namespaces: { include: [namespace], optIn: true },
  })
  await pods.inherit(namespace)
  const pod = await pods.make(namespace, 'app', `${hub.host}/public/app:1`)
  // The token server knows no password of the issuer's: as if each had ended when it is shown.
  await pods.waiting(pod, /ErrImagePull.*401 Unauthorized/s)

  issuer.fail(503)
  setClock(aheadMs + 24 * hourMs)
  await arrived(namespace, {})
  await pods.running(pod)
  expect(tokens.requests.filter(({ status }) => status === 401)).not.toEqual([])
})

testOnNode(
  'tokens of ECR are renewed 20 times in six days, and after each a pod pulls by the new one',
  async () => {
    const host = hostIn(region)
    await node.mirror(host, registry.url)
    await registry.setHtpasswd({ robot: 'first' })
    await push('team/daily', '1')
    const keys = lab.unique('keys')
    await lab.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, {
      metadata: { name: keys },
      stringData: longTermKeys,
    })
    const namespace = await lab.namespace('daily')
    renew('token-0')
    const credential = await lab.credential('daily', {
      source: { ecr: { regions: [region], secretRef: { name: keys } } },
      namespaces: { include: [namespace], optIn: true },
    })
    await pods.inherit(namespace)

    for (let renewal = 0; renewal <= 20; renewal++) {
      if (renewal > 0) {
        // Half of the token's life and more.
        setClock(aheadMs + 7 * hourMs)
        renew(`token-${renewal}`)
        // Any change has the operator look at the login at once, where it would look at its clock within ten seconds.
        await lab.patchCredential(credential, { priority: renewal })
      }
      const login = { username: 'AWS', password: passwordOf(wish, longTermKeys.accessKeyId, region) }
      await arrived(namespace, { [host]: login })
      await registry.setHtpasswd({ AWS: login.password })
      const pulls = await asked('team/daily')
      const pod = await pods.make(namespace, `pod-${renewal}`, `${host}/team/daily:1`, { pullAlways: true })
      await pods.running(pod)
      expect(await asked('team/daily')).toBeGreaterThan(pulls)
      await lab.client.delete(`${podsPath(namespace)}/${pod.metadata.name}`)
    }
  },
  600_000,
)

/** What AWS gives from now on, for 12 hours. */
function renew(secret: string): void {
  wish.secret = secret
  wish.expiresAt = new Date(Date.now() + aheadMs + 12 * hourMs)
}
