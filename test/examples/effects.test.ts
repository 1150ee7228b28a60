/** What the examples say they do, they do: each is applied as its README says, and its effect is looked at. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { keyMatchesImage } from '../../src/model/keyring.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, loginsOf, type Secret } from '../controller/lab.ts'

let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  const everything = ['rcred', '--all']
  await lab.cluster.kubectl('delete', '--wait', ...everything)
  const namespaces = ['shop', 'team-blue', 'team-green', 'team-red', 'data-lake', 'ci', 'web-staging', 'web-production']
  await lab.cluster.kubectl('delete', 'namespace', '--ignore-not-found', '--wait=false', ...namespaces)
  const sources = ['dockerhub', 'team-registry', 'github-and-own', 'quay', 'ci-images', 'web-registry']
  await lab.cluster.kubectl('delete', 'secret', '-n', 'regcred-system', '--ignore-not-found', ...sources)
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

async function apply(folder: string, ...credentials: string[]): Promise<void> {
  await lab.cluster.kubectl('apply', '-f', `examples/${folder}/`)
  for (const credential of credentials) await lab.ready(credential)
}

async function pullSecretsOf(pod: string, namespace: string): Promise<string> {
  return await lab.cluster.kubectl('get', 'pod', pod, '-n', namespace, '-o', 'jsonpath={.spec.imagePullSecrets}')
}

test('01: the namespace gets what kubectl create secret docker-registry makes by hand', async () => {
  const manifests = ['source', 'credential'].flatMap((name) => ['-f', `examples/01-docker-hub/${name}.yaml`])
  await lab.cluster.kubectl('apply', ...manifests)
  await lab.ready('dockerhub')
  await eventually(async () => expect(await lab.references('shop')).toEqual(['regcred'])) // its namespace has just been made
  const options = ['--docker-username=acme', '--docker-password=example-password', '--docker-email=acme@example.com']
  const server = '--docker-server=https://index.docker.io/v1/'
  const byHand = JSON.parse(
    await lab.cluster.kubectl(
      'create',
      'secret',
      'docker-registry',
      'regcred',
      server,
      ...options,
      '--dry-run=client',
      '-o',
      'json',
    ),
  ) as Secret
  const ours = await lab.secret('shop')
  expect(ours?.type).toBe(byHand.type)
  expect(ours?.data).toEqual(byHand.data)
})

test('01: a private pod needs no pull secret of its own, and a public one is as it was', async () => {
  await lab.cluster.kubectl(
    'apply',
    '-f',
    'examples/01-docker-hub/private-pod.yaml',
    '-f',
    'examples/01-docker-hub/public-pod.yaml',
  )
  expect(await pullSecretsOf('private', 'shop')).toBe('[{"name":"regcred"}]')
  const [key = ''] = Object.keys((await lab.logins('shop')) ?? {})
  expect(keyMatchesImage(key, 'docker.io/acme/app')).toBe(true)
  const image = await lab.cluster.kubectl(
    'get',
    'pod',
    'public',
    '-n',
    'shop',
    '-o',
    'jsonpath={.spec.containers[0].image}',
  )
  expect(image).toBe('nginx:1.29')
})

test('02: the namespace that asks gets it, the others do not, and the label works both ways', async () => {
  await apply('02-opt-in', 'team-registry')
  await eventually(async () => expect(await lab.references('team-blue')).toEqual(['regcred']))
  expect(Object.keys((await lab.logins('team-blue')) ?? {})).toEqual(['registry.example.com:5000'])
  expect(await lab.secret('team-green')).toBeNull()
  expect(await lab.secret('team-red')).toBeNull()
  await lab.cluster.kubectl('label', 'namespace', 'team-green', 'use.regcred.dev/team-registry=true')
  await eventually(async () => expect(await lab.references('team-green')).toEqual(['regcred']))
  await lab.cluster.kubectl('label', 'namespace', 'team-green', 'use.regcred.dev/team-registry-')
  await eventually(async () => expect(await lab.secret('team-green')).toBeNull())
  expect(await lab.references('team-green')).toEqual([])
})

test('03: one Secret holds all three registries, and one credential taken away leaves the others', async () => {
  await apply('03-several-registries', 'github-and-own', 'quay')
  const keys = async () => Object.keys((await lab.logins('data-lake')) ?? {}).sort()
  await eventually(async () => expect(await keys()).toEqual(['ghcr.io', 'quay.io/acme/', 'registry.example.com']))
  await eventually(async () => expect(await lab.references('data-lake')).toEqual(['regcred']))
  await lab.deleteCredential('quay')
  await eventually(async () => expect(await keys()).toEqual(['ghcr.io', 'registry.example.com']))
  expect(await lab.references('data-lake')).toEqual(['regcred'])
})

test('04: the chosen ServiceAccounts get the entry, behind their own, and the others do not', async () => {
  await apply('04-service-accounts', 'ci-images')
  await eventually(async () => expect(await lab.references('ci', 'builder')).toEqual(['my-own', 'regcred']))
  await eventually(async () => expect(await lab.references('ci', 'deploy-web')).toEqual(['regcred']))
  await lab.cluster.kubectl('create', 'serviceaccount', 'deploy-later', '-n', 'ci')
  await eventually(async () => expect(await lab.references('ci', 'deploy-later')).toEqual(['regcred']))
  expect(await lab.references('ci', 'deploy-legacy')).toEqual([])
  expect(await lab.references('ci', 'default')).toEqual([])
})

test('05: the folder may be synced before its source is there, and is healthy once it is', async () => {
  await lab.cluster.kubectl('apply', '-k', 'examples/05-gitops')
  const waiting = await lab.condition('web-registry', 'Ready', 'False')
  expect(waiting.status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Reconciling'])
  const login = ['--docker-username=acme-bot', '--docker-password=example-password']
  await lab.cluster.kubectl(
    'create',
    'secret',
    'docker-registry',
    'web-registry',
    '-n',
    'regcred-system',
    '--docker-server=ghcr.io',
    ...login,
  )
  await lab.ready('web-registry')
  for (const namespace of ['web-staging', 'web-production']) {
    const secret = await lab.secret(namespace)
    expect(Object.keys(secret ? loginsOf(secret) : {})).toEqual(['ghcr.io/acme/'])
  }
  const synced = await lab.cluster.kubectl('diff', '-k', 'examples/05-gitops')
  expect(synced).toBe('')
})
