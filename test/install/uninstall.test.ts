/**
 * docs/how-to/uninstall.md: the Secrets go or stay, as the user chooses, and in no order of things a namespace cannot be
 * deleted. On a control plane of its own.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { policyKinds } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { openApi } from '../support/api.ts'
import { installers } from './installers.ts'

const login = { 'ghcr.io': { username: 'robot', password: 'login-of-uninstall' } }

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
})

afterAll(async () => {
  await cluster.stop()
})

describe.each(Object.entries(installers))('by %s:', (by, { install, uninstall, leaves }) => {
  let lab: Lab
  let operator: RunningOperator
  let namespace: string
  let credential: string

  /** Installed, with a credential that a namespace has the Secret of, and its ServiceAccount the reference. */
  beforeEach(async () => {
    await install(cluster)
    lab = new Lab(cluster)
    operator = await startOperator({ cluster, replica: true })
    namespace = await lab.namespace('served')
    const source = { secretRef: { name: await lab.source('login', login) } }
    credential = await lab.credential('served', { source, namespaces: { include: [namespace], optIn: true } })
    await lab.ready(credential)
    expect(await lab.logins(namespace)).toEqual(login)
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  })

  afterEach(async () => {
    await operator.kill()
    await lab.client.close()
    await cluster.kubectl('delete', 'namespace', namespace, '--ignore-not-found')
  })

  /** Nothing of the installation is there, and nothing waits for anything. */
  async function nothingIsLeft(): Promise<void> {
    for (const object of leaves) await cluster.kubectl('delete', object, '--timeout=60s')
    await gone('crd/registrycredentials.regcred.dev')
    await gone('namespace/regcred-system')
    const kinds = `clusterrole,clusterrolebinding,${policyKinds}`
    const kept = await cluster.kubectl('get', kinds, '-o', 'name')
    expect(kept.split('\n').filter((name) => name.includes('regcred'))).toEqual([])
  }

  async function gone(object: string): Promise<void> {
    const there = async () => expect(await cluster.kubectl('get', object, '--ignore-not-found')).toBe('')
    await eventually(there, { describe: `${object} gone` })
  }

  const deleteCredentials = (...flags: string[]) =>
    cluster.kubectl('delete', 'rcred', '--all', '--timeout=60s', ...flags)

  /** It has looked at every namespace: one that is made after its start is served. */
  async function operatorIsDone(): Promise<void> {
    const [other, source] = [await lab.namespace('other'), await lab.source('other', login)]
    const namespaces = { include: [other], optIn: true }
    const name = await lab.credential('other', { source: { secretRef: { name: source } }, namespaces })
    await lab.ready(name)
    await cluster.kubectl('delete', 'rcred', name, '--timeout=60s') // waits: its finalizer goes after its Secret
    expect(await lab.secret(other)).toBeNull()
  }

  const release = () =>
    cluster.kubectl('patch', 'rcred', credential, '--type=merge', '-p', '{"metadata":{"finalizers":null}}')

  test('with the credentials deleted first, Secrets and references go', async () => {
    await deleteCredentials()
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
    await operator.stop()
    await uninstall(cluster)
    await nothingIsLeft()
  })

  test('with Orphan before that, they stay, and belong to nobody', async () => {
    await cluster.kubectl('patch', 'rcred', credential, '--type=merge', '-p', '{"spec":{"deletionPolicy":"Orphan"}}')
    await deleteCredentials()
    await operator.stop()
    await uninstall(cluster)
    await nothingIsLeft()
    expect(await lab.logins(namespace)).toEqual(login)
    expect((await lab.secret(namespace))?.metadata.ownerReferences ?? []).toEqual([])
    expect(await lab.references(namespace)).toEqual(['regcred'])
  })

  test('without an operator the namespaces that it served, and its own, can be deleted; a new one finishes the rest', async () => {
    await operator.stop()
    await cluster.kubectl('delete', 'namespace', namespace, '--timeout=60s')
    await cluster.kubectl('delete', 'namespace', 'regcred-system', '--timeout=60s')
    expect(await cluster.kubectl('get', 'rcred', credential, '-o', 'name')).toContain(credential)
    await install(cluster)
    operator = await startOperator({ cluster, replica: true })
    await deleteCredentials()
    await operator.stop()
    await uninstall(cluster)
    await nothingIsLeft()
  })

  test('after the operator, credentials wait for one that is installed again', async () => {
    await operator.stop()
    await uninstall(cluster)
    await cluster.kubectl('delete', 'rcred', '--all', '--wait=false')
    // By kubectl, the namespace is on its way out for a moment.
    await eventually(() => install(cluster), { describe: 'installed again' })
    operator = await startOperator({ cluster, replica: true })
    // By kubectl, its kind goes with it.
    const api = openApi(cluster.adminKubeconfig)
    const ended = async () => expect((await api('GET', `${credentialsPath}/${credential}`)).status).toBe(404)
    await eventually(ended, { describe: 'the credential ended' })
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
    await operator.stop()
    await uninstall(cluster)
    await nothingIsLeft()
  })

  if (by === 'helm') return // which makes no difference where there is no operator

  test('after the operator, credentials wait: those that are released go, and their Secrets by their label', async () => {
    await operator.stop()
    await uninstall(cluster)
    await cluster.kubectl('delete', 'rcred', '--all', '--wait=false')
    await release()
    await cluster.kubectl('delete', 'secret', '--all-namespaces', '-l', 'app.kubernetes.io/managed-by=regcred-operator')
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual(['regcred']) // nobody is there to take it off
    await nothingIsLeft()
  })

  test('after the operator, credentials that are released and deleted with --cascade=orphan leave their Secrets', async () => {
    await operator.stop()
    await release()
    await deleteCredentials('--cascade=orphan')
    const label = 'app.kubernetes.io/managed-by'
    const ours = ['secret', '--all-namespaces', '-l', `${label}=regcred-operator`]
    await cluster.kubectl('annotate', 'serviceaccount', '--all', '--all-namespaces', 'regcred.dev/managed-')
    await cluster.kubectl('annotate', ...ours, 'regcred.dev/mark-')
    await cluster.kubectl('label', ...ours, `${label}-`)
    const kept = await lab.secret(namespace)
    expect(kept?.metadata.ownerReferences ?? []).toEqual([])
    operator = await startOperator({ cluster, replica: true }) // one that comes later, even with the same key
    await operatorIsDone()
    expect(await lab.secret(namespace)).toEqual(kept)
    expect(await lab.references(namespace)).toEqual(['regcred'])
    await operator.stop()
    await uninstall(cluster)
    await nothingIsLeft()
  })
})
