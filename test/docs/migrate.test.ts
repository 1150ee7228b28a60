/**
 * The pages of docs/how-to/migrate are followed word for word, while the other tool is at work until its page stops it: nobody
 * who creates a pod in between gets one that cannot pull.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, secretPath, serviceAccountPath } from '../controller/lab.ts'
import { revisionOf } from '../faults/history.ts'
import { snippetsOf } from './markdown.ts'
import { type Peer, patcher, play, registryCreds, replicator } from './migrate/peers.ts'
import { breaks } from './migrate/pulls.ts'
import { Shell } from './shell.ts'

const image = 'ghcr.io/acme/app'
const login: Login = { username: 'acme', password: 'login-before-and-after' }
const teams = ['team-a', 'team-b', 'team-c']

let cluster: OwnedCluster
let lab: Lab
let shell: Shell
let operator: RunningOperator | undefined

beforeEach(async () => {
  cluster = await startCluster({ history: true })
  lab = new Lab(cluster)
  shell = new Shell(cluster)
}, OPERATOR_HOOK_TIMEOUT_MS)

afterEach(async () => {
  const code = await operator?.stop()
  expect(code ?? 0).toBe(0)
  operator = undefined
  shell.close()
  await lab.client.close()
  await cluster.stop()
}, OPERATOR_HOOK_TIMEOUT_MS)

/** The tool as it has been running for a while, and a namespace that it serves and the credential will not select. */
async function install({ deployment, source, objects }: Peer): Promise<void> {
  for (const namespace of new Set([deployment.namespace, source.namespace, 'other', ...teams])) {
    if (namespace !== 'kube-system') await cluster.kubectl('create', 'namespace', namespace)
  }
  await cluster.kubectl('create', 'serviceaccount', 'builder', '-n', 'team-a')
  await lab.patch(serviceAccountPath('team-a', 'builder'), { imagePullSecrets: [{ name: 'own' }] })
  await lab.create(`/api/v1/namespaces/${source.namespace}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: source.name },
    type: 'kubernetes.io/dockerconfigjson',
    // Not as the operator writes it: a tool that is still at work would see that the content is another.
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': login } }, undefined, 2) },
  })
  for (const object of objects) await eventually(() => cluster.apply(JSON.stringify(object)))
  await cluster.kubectl('create', 'deployment', deployment.name, '-n', deployment.namespace, '--image=example.com/peer')
}

async function expectServed(
  secret: string,
  namespaces: readonly string[],
  logins: Record<string, Login>,
): Promise<void> {
  await eventually(
    async () => {
      for (const namespace of namespaces) {
        expect(await lab.logins(namespace, secret)).toEqual(logins)
        expect(await lab.references(namespace)).toEqual([secret])
      }
    },
    { describe: `${secret} in ${namespaces}` },
  )
}

const uidsOf = async (secret: string) =>
  Promise.all(teams.map(async (namespace) => (await lab.secret(namespace, secret))?.metadata.uid))

/** Step by step, as somebody would who reads the page. The operator starts when it has been installed. */
async function followPage({ page, secret }: Peer): Promise<void> {
  for (const { language, text } of snippetsOf(`docs/how-to/migrate/${page}`)) {
    if (language === 'yaml') shell.save('credential.yaml', text)
    if (language === 'sh') await shell.run(text)
    operator ??= await startOperator({ cluster, args: ['--secret-name=regcred', `--secret-name=${secret}`] })
    if (text.includes('kubectl apply -f credential.yaml')) {
      const left = teams.map((namespace) => expect.objectContaining({ namespace, reason: 'NotOwned' }))
      await eventually(async () => expect((await lab.readCredential('acme')).status?.failures).toEqual(left))
      await cluster.kubectl('create', 'namespace', 'team-new')
      await expectServed(secret, ['team-new'], { 'ghcr.io': login })
    }
  }
}

/** What the overview says of entries that were there before: they outlive the credential, and its commands take them off. */
async function takeEntriesOff(secret: string): Promise<void> {
  await cluster.kubectl('delete', 'rcred', 'acme')
  await eventually(async () => expect(await lab.secret('team-a', secret)).toBeNull())
  expect(await lab.references('team-a', 'builder')).toEqual(['own', secret])
  const [commands] = snippetsOf('docs/how-to/migrate/README.md')
  await shell.run(commands?.text ?? '')
  expect(await lab.references('team-a', 'builder')).toEqual(['own'])
  for (const namespace of [...teams, 'team-new', 'other']) expect(await lab.references(namespace)).toEqual([])
}

test.each([patcher, replicator, registryCreds])(
  '$page',
  async (peer) => {
    const { secret } = peer
    await install(peer)
    const played = play(lab, peer)
    await expectServed(secret, peer === replicator ? teams : [...teams, 'other'], { 'ghcr.io': login })
    const uids = await uidsOf(secret)
    const since = await revisionOf(cluster.etcdUrl)

    await followPage(peer)
    await played
    await expectServed(secret, [...teams, 'team-new'], { 'ghcr.io': login })
    expect(await uidsOf(secret)).toEqual(uids)
    expect(await lab.references('team-a', 'builder')).toContain('own')
    for (const namespace of teams) {
      const { metadata } = (await lab.secret(namespace, secret)) ?? {}
      expect(metadata?.annotations?.['regcred.dev/mark']).toBeDefined()
      expect(metadata?.ownerReferences?.map(({ kind }) => kind)).toContain('RegistryCredential')
    }

    // It is the operator's: a new login reaches all, in the same Secrets.
    const next = { ...login, password: 'login-of-later' }
    await lab.rotate('acme', { 'ghcr.io': next })
    await expectServed(secret, [...teams, 'team-new'], { 'ghcr.io': next })
    expect(await uidsOf(secret)).toEqual(uids)

    if (peer === registryCreds) {
      const collected = async () => expect(await lab.secret('other', secret)).toBeNull()
      await eventually(collected, { describe: 'the garbage collector' }) // else it would show nothing that the others are there
      await expectServed(secret, teams, { 'ghcr.io': next })
    }
    const pulls = { etcdUrl: cluster.etcdUrl, image, valid: [login, next] }
    const broken = await breaks(pulls, since)
    expect(broken.filter((each) => each.startsWith('team-'))).toEqual([])
    if (peer === patcher) await takeEntriesOff(secret)
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)

test(
  'with another name, beside a tool that is at work',
  async () => {
    const [takeOff, deleteAll] = snippetsOf('docs/how-to/migrate/README.md')
    await install(patcher)
    const played = play(lab, patcher)
    await expectServed(patcher.secret, teams, { 'ghcr.io': login })
    const since = await revisionOf(cluster.etcdUrl)
    await shell.run('kubectl apply --server-side -k config/default')
    operator = await startOperator({ cluster })
    const source = await lab.source('acme', { 'ghcr.io': login })
    const selected = { namespaces: { include: ['team-*'], optIn: true }, serviceAccounts: ['*'] }
    const credential = await lab.credential('acme', { source: { secretRef: { name: source } }, ...selected })
    await lab.ready(credential)
    expect(await lab.references('team-a')).toEqual([patcher.secret, 'regcred'])

    const { namespace, name } = patcher.deployment
    await shell.run(`kubectl -n ${namespace} scale deployment ${name} --replicas=0`)
    await played
    await shell.run(takeOff?.text ?? '')
    await shell.run(deleteAll?.text ?? '')
    await expectServed('regcred', teams, { 'ghcr.io': login })
    expect(await lab.references('team-a', 'builder')).toEqual(['own', 'regcred'])
    expect(await lab.secret('team-a', patcher.secret)).toBeNull()
    const broken = await breaks({ etcdUrl: cluster.etcdUrl, image, valid: [login] }, since)
    expect(broken.filter((each) => each.startsWith('team-'))).toEqual([])
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)

test(
  'a Secret that is deleted and created on the way, or a list that is replaced, would be seen',
  async () => {
    await cluster.kubectl('create', 'namespace', 'team-a')
    await eventually(async () => expect(await lab.serviceAccount('team-a')).not.toBeNull())
    const config = { auths: { 'ghcr.io': login } }
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'regcred' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify(config) },
    }
    const create = () => lab.client.create('/api/v1/namespaces/team-a/secrets', secret, { fieldManager: 'test' })
    const list = (...names: string[]) =>
      lab.patch(serviceAccountPath('team-a'), { imagePullSecrets: names.map((name) => ({ name })) })
    await create()
    await list('regcred')
    const since = await revisionOf(cluster.etcdUrl)
    const pulls = { etcdUrl: cluster.etcdUrl, image, valid: [login] }
    expect(await breaks(pulls, since)).toEqual([])
    await lab.client.delete(secretPath('team-a'))
    await create()
    await list('other')
    await list('other', 'regcred')
    expect(await breaks(pulls, since)).toHaveLength(2)
    expect(await breaks({ ...pulls, valid: [] }, since)).toEqual([]) // nothing that was never good
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)
