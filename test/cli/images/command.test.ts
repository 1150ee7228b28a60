/** `kubectl regcred images` in a cluster with a running operator, by users of different rights. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { Lab } from '../../controller/lab.ts'
import { podsPath } from '../../controller/pods-lab.ts'
import { leaksIn, newCanary } from '../../support/canary.ts'
import { inParallel } from '../../support/in-parallel.ts'
import { cellsOf, type Outcome, regcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

let lab: Lab
let operator: RunningOperator
let credential: string
/** Made up for this run, so that pods of other tests do not count. */
let registry: string
/** The credential is for the first; pods are in both. */
let namespace: string
let other: string
/** A namespace with the list of what is trusted. */
let trusting: string

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const password = newCanary()
const printed: string[] = []
const evil = 'ghcr.io.evil.com/x:\u001b[31m\u009b31m'
const formula = '=cmd/calc'
/** Seen on a terminal it ends with another registry, and its row with another answer. */
const turned = 'ghcr.io.evil.com/\u202eoi.rchg\u2028x'

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
  registry = `${lab.unique('images')}.example.com`
  namespace = await lab.namespace('images')
  other = await lab.namespace('images-other')
  trusting = await lab.namespace('images-trust')
  await lab.create(`/api/v1/namespaces/${trusting}/configmaps`, {
    metadata: { name: 'trusted-registries' },
    data: { registries: '# ours\ndocker.io/library\n', credentials: `${registry}/acme\n` },
  })
  const source = await lab.source('images', { [`${registry}/acme`]: { username: 'robot', password } })
  const namespaces = { include: [namespace], optIn: true }
  credential = await lab.credential('images', { source: { secretRef: { name: source } }, namespaces })
  await lab.ready(credential)
  await runEveryKind()
  await run(namespace, 'more', [`${registry}/acme/app:1`])
  await run(namespace, 'ended', [`${registry}/acme/ended:1`], { phase: 'Succeeded' })
  await run(other, 'other', [`${registry}/acme/app:1`, evil, formula, turned])
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

/** A pod; there is no kubelet, and its status is what this says. */
async function run(where: string, name: string, images: string[], status?: object): Promise<void> {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }))
  await lab.create(podsPath(where), { metadata: { name }, spec: { containers } })
  if (status) await lab.patch(`${podsPath(where)}/${name}/status`, { status })
}

/** A pod with an image in every place where there can be one. */
async function runEveryKind(): Promise<void> {
  await lab.create(podsPath(namespace), {
    metadata: { name: 'web' },
    spec: {
      initContainers: [{ name: 'setup', image: `busybox@${digest}` }],
      containers: [{ name: 'app', image: `${registry}/acme/app:1` }],
      volumes: [{ name: 'model', image: { reference: `${registry}/acme/model` } }],
    },
  })
  const ephemeralContainers = [{ name: 'debug', image: `${registry}/tools/debug:2` }]
  await lab.patch(`${podsPath(namespace)}/web/ephemeralcontainers`, { spec: { ephemeralContainers } })
  const status = { name: 'app', image: 'app', imageID: `${registry}/acme/app@${digest}`, ready: true, restartCount: 0 }
  await lab.patch(`${podsPath(namespace)}/web/status`, { status: { phase: 'Running', containerStatuses: [status] } })
}

async function images(args: string[], kubeconfig?: string): Promise<Outcome> {
  const flags = ['--operator-namespace', trusting, ...args]
  const ran = await regcred(['images', ...flags], kubeconfig === undefined ? {} : { kubeconfig })
  printed.push(ran.stdout, ran.stderr)
  return ran
}

test('a table of the images in a namespace', async () => {
  const { code, stdout, stderr } = await images(['-n', namespace])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(cellsOf(stdout)).toEqual([
    ['IMAGE', 'REGISTRY', 'BY', 'PODS', 'NAMESPACES', 'CREDENTIALS', 'TRUSTED'],
    [`busybox@${digest}`, 'docker.io', 'digest', '1', '1', '<none>', 'yes'],
    [`${registry}/acme/app:1`, registry, 'tag', '2', '1', credential, 'yes'],
    [`${registry}/acme/model`, registry, 'latest', '1', '1', credential, 'yes'],
    [`${registry}/tools/debug:2`, registry, 'tag', '1', '1', '<none>', 'no'],
  ])
})

test('wide it has the digests that run, and where', async () => {
  const { stdout } = await images(['-n', namespace, '-o', 'wide'])
  const [headers = [], , app] = cellsOf(stdout)
  expect(headers.slice(-2)).toEqual(['DIGESTS', 'WHERE'])
  expect(app?.slice(-2)).toEqual([digest, namespace])
})

test('in all namespaces, with the credentials in each, as JSON', async () => {
  const { code, stdout } = await images(['-o', 'json'])
  expect(code).toBe(0)
  const { kind, items } = JSON.parse(stdout)
  expect(kind).toBe('ImageList')
  expect(items.find(({ image }: { image: string }) => image === `${registry}/acme/app:1`)).toEqual({
    image: `${registry}/acme/app:1`,
    registry,
    by: 'tag',
    digests: [digest],
    trusted: 'yes',
    credentials: [credential],
    pods: 3,
    namespaces: [
      { name: namespace, pods: 2, credentials: [credential] },
      { name: other, pods: 1, credentials: [] },
    ],
  })
})

test('CSV, in which nothing is a formula, nor steers a terminal', async () => {
  const { stdout } = await images(['-n', other, '-o', 'csv'])
  expect(stdout.split('\r\n')).toEqual([
    'image,registry,by,pods,namespaces,credentials,trusted,digests,where,uncovered',
    `'=cmd/calc,,,1,1,,no,,${other},${other}`,
    `ghcr.io.evil.com/x:\\u001b[31m\\u009b31m,,,1,1,,no,,${other},${other}`,
    `ghcr.io.evil.com/\\u202eoi.rchg\\u2028x,,,1,1,,no,,${other},${other}`,
    `${registry}/acme/app:1,${registry},tag,1,1,,yes,,${other},${other}`,
    '',
  ])
})

test.each<[string, string[]]>([
  ['a table', []],
  ['a wide one', ['-o', 'wide']],
  ['JSON', ['-o', 'json']],
  ['YAML', ['-o', 'yaml']],
])('what a name has to steer the terminal is shown in %s', async (_, args) => {
  const { stdout } = await images(['-n', other, ...args])
  expect(stdout).toMatch(/ghcr\.io\.evil\.com\/x:\\(u001b|e)\[31m\\u009b31m/)
  expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  if (!args.some((each) => /json|yaml/.test(each))) expect(stdout).toMatch(/^[ -~\n]+$/)
})

test('--untrusted shows those alone, and there being one is the exit code', async () => {
  const found = await images(['-n', namespace, '--untrusted'])
  expect(found.code).toBe(1)
  expect(cellsOf(found.stdout).map(([image]) => image)).toEqual(['IMAGE', `${registry}/tools/debug:2`])
  expect(await images(['-n', trusting, '--untrusted'])).toEqual({ code: 0, stdout: '', stderr: 'No resources found\n' })
})

test('without a list of what is trusted that is not known, and --untrusted cannot be answered', async () => {
  const missing = `There is no ConfigMap trusted-registries in namespace ${other} (--operator-namespace names another), so whether an image is trusted is not known.\n`
  const elsewhere = ['-n', namespace, '--operator-namespace', other]
  const { code, stdout, stderr } = await images(elsewhere)
  expect({ code, stderr }).toEqual({ code: 0, stderr: `Note: ${missing}` })
  expect(cellsOf(stdout)[1]?.at(-1)).toBe('<unknown>')
  expect(await images([...elsewhere, '--untrusted'])).toEqual({ code: 2, stdout: '', stderr: `error: ${missing}` })
})

test('lines of the list that trust nothing are told of, and the others count', async () => {
  const wrong = await lab.namespace('images-wrong')
  await lab.create(`/api/v1/namespaces/${wrong}/configmaps`, {
    metadata: { name: 'trusted-registries' },
    data: { registries: 'https://ghcr.io\ndocker.io # all of it\nnginx\n' },
  })
  const { stdout, stderr } = await images(['-n', namespace, '--operator-namespace', wrong])
  expect(stderr).toBe(
    `Note: The ConfigMap trusted-registries in namespace ${wrong} has lines that trust nothing: https://ghcr.io, nginx. A line is a registry, or one and the beginning of a path, such as docker.io/library.\n`,
  )
  expect(cellsOf(stdout)[1]?.at(-1)).toBe('yes')
})

test('a namespace that is not there has no images that could be called trusted', async () => {
  expect(await images(['-n', 'gone', '--untrusted'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: namespaces "gone" not found\n',
  })
})

const podsRight = { apiGroups: [''], resources: ['pods'], verbs: ['list'] }

test('who may list pods alone is told what that means', async () => {
  const kubeconfig = await userWith({ namespaces: { [namespace]: [podsRight] } })
  const { code, stdout, stderr } = await images(['-n', namespace], kubeconfig)
  expect(code).toBe(0)
  expect(stderr).toMatch(/^Note: You may not list RegistryCredentials, .*\nNote: You may not read ConfigMap .*\n$/)
  expect(cellsOf(stdout)[2]).toEqual([`${registry}/acme/app:1`, registry, 'tag', '2', '1', '<unknown>', '<unknown>'])
})

test('who may not list Secrets is told by what the credentials select', async () => {
  const namespacesRight = { ...podsRight, resources: ['namespaces'] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('list'), podsRight, namespacesRight] })
  const { stdout, stderr } = await images(['-o', 'csv'], kubeconfig)
  expect(stderr).toContain('Note: You may not list Secrets')
  const app = stdout.split('\r\n').find((line) => line.startsWith(`${registry}/acme/app:1,`))
  expect(app?.split(',').slice(3, 6)).toEqual(['3', '2', credential])
})

test('who may list neither Secrets nor namespaces is not told which credentials cover an image', async () => {
  const kubeconfig = await userWith({ cluster: [credentialsRight('list'), podsRight] })
  const { stdout, stderr } = await images(['-n', namespace], kubeconfig)
  expect(stderr).toContain('Note: You may list neither Secrets nor namespaces')
  expect(cellsOf(stdout)[2]?.[5]).toBe('<unknown>')
})

test('who may not list pods is refused', async () => {
  const { code, stdout, stderr } = await images([], await userWith({ cluster: [credentialsRight('list')] }))
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^Error from server \(Forbidden\): pods is forbidden/)
})

test('more pods than a page has are counted page by page', async () => {
  const many = await lab.namespace('images-many')
  const spec = { containers: [{ name: 'app', image: 'nginx:1' }] }
  const names = Array.from({ length: 510 }, (_, index) => `p${index}`)
  await inParallel(names, 16, (name) => {
    return lab.client.create(podsPath(many), { metadata: { name }, spec }, { fieldManager: 'test' })
  })
  const start = new Date()
  const { stdout } = await images(['-n', many])
  expect(cellsOf(stdout)[1]?.slice(0, 5)).toEqual(['nginx:1', 'docker.io', 'tag', '510', '1'])
  const lists = (await lab.cluster.auditLog(start)).filter(
    ({ userAgent, resource }) => userAgent.startsWith('kubectl-regcred/') && resource === 'pods',
  )
  expect(lists.map(({ requestURI }) => new URL(requestURI, 'https://x').searchParams.has('continue'))).toEqual([
    false,
    true,
  ])
})

test('no password was printed', () => {
  expect(printed.length).toBeGreaterThan(10)
  expect(leaksIn({ output: printed.join('\n') }, { password })).toEqual([])
})
