/** What the policies do to ServiceAccounts and pods, with no operator there; errors of the evaluation would be refusals. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from '@jest/globals'
import { managedAnnotation, optOutKey, useLabel } from '../../src/api/names.ts'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type ServiceAccount, serviceAccountPath } from '../controller/lab.ts'
import { rivalManager } from '../controller/rival.ts'
import { applyPolicies, namesOf, type Pod, pod, podsPath } from './policies.ts'

let cluster: OwnedCluster
let lab: Lab
let folder: string

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  await applyPolicies(cluster, { allowed: ['regcred', 'aaa', 'mmm', 'zzz'], failurePolicy: 'Fail' })
  lab = new Lab(cluster)
  folder = mkdtempSync(join(tmpdir(), 'regcred-test-'))
})

afterAll(async () => {
  await lab?.client.close()
  await cluster?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A credential for all ServiceAccounts of this namespace and no other. */
async function credentialFor(namespace: string, given: Partial<RegistryCredentialSpec> = {}): Promise<string> {
  const source = { secretRef: { name: 'none' } }
  const spec = { source, namespaces: { include: [namespace], optIn: true }, serviceAccounts: ['*'], ...given }
  return await lab.credential(`${namespace}-${given.secretName ?? 'regcred'}`, spec)
}

interface Seen {
  names: string[]
  managed: string | undefined
}

function seen({ imagePullSecrets, metadata }: ServiceAccount): Seen {
  return { names: namesOf(imagePullSecrets), managed: metadata.annotations?.[managedAnnotation] }
}

const linked: Seen = { names: ['regcred'], managed: 'regcred' }
const untouched: Seen = { names: [], managed: undefined }

async function create(namespace: string, name: string, fields: object = {}, metadata: object = {}): Promise<Seen> {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, name }, ...fields }
  return seen(await lab.create<ServiceAccount>(`/api/v1/namespaces/${namespace}/serviceaccounts`, object))
}

/** Of `default`, as the controller manager has made it. */
async function born(namespace: string): Promise<Seen> {
  const serviceAccount = await lab.serviceAccount(namespace)
  if (serviceAccount === null) throw new Error(`no ServiceAccount in ${namespace}`)
  return seen(serviceAccount)
}

async function apply(
  namespace: string,
  list: readonly string[],
  { name = 'default', force = true } = {},
): Promise<ServiceAccount> {
  const imagePullSecrets = list.map((name) => ({ name }))
  const object = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
    imagePullSecrets,
  }
  return await lab.client.apply(serviceAccountPath(namespace, name), object, { fieldManager: rivalManager, force })
}

/** A namespace with a credential that was there before. */
async function selected(name: string, given: Partial<RegistryCredentialSpec> = {}): Promise<string> {
  await credentialFor(lab.unique(name), given)
  return await lab.namespace(name)
}

describe('a ServiceAccount', () => {
  test('default of a new namespace is born with the reference and the annotation', async () => {
    const name = 'born'
    await credentialFor(lab.unique(name), { serviceAccounts: ['default'] })
    expect(await born(await lab.namespace(name))).toEqual(linked)
  })

  test('keeps its own entries and annotations, and an entry of ours that somebody else wrote stays theirs', async () => {
    const namespace = await selected('own')
    expect(await create(namespace, 'a', { imagePullSecrets: [{ name: 'git' }, {}] })).toEqual({
      names: ['git', '', 'regcred'],
      managed: 'regcred',
    })
    expect(await create(namespace, 'b', { imagePullSecrets: [{ name: 'regcred' }] })).toEqual({
      names: ['regcred'],
      managed: undefined,
    })
    await create(namespace, 'c', {}, { annotations: { own: 'kept' } })
    expect((await lab.serviceAccount(namespace, 'c'))?.metadata.annotations).toEqual({
      own: 'kept',
      [managedAnnotation]: 'regcred',
    })
  })

  test('gets the references of several credentials, sorted whatever order they were evaluated in', async () => {
    const namespace = lab.unique('several')
    for (const secretName of ['zzz', 'regcred', 'aaa', 'mmm']) await credentialFor(namespace, { secretName })
    await lab.credential('twin', {
      source: { secretRef: { name: 'none' } },
      namespaces: { include: [namespace], optIn: true },
    })
    await lab.namespace('several')
    const all = ['aaa', 'mmm', 'regcred', 'zzz']
    expect(await born(namespace)).toEqual({ names: all, managed: all.join(',') })
    for (const round of Array(10).keys()) {
      const made = await create(namespace, `sa-${round}`, { imagePullSecrets: [{ name: 'own' }] })
      expect(made).toEqual({ names: ['own', ...all], managed: all.join(',') })
    }
    expect(seen(await apply(namespace, ['git', 'mmm']))).toEqual({
      names: ['git', 'aaa', 'mmm', 'regcred', 'zzz'],
      managed: all.join(','),
    })
  })

  test('with 256 entries is left alone, as the operator would not take the reference off again', async () => {
    const namespace = await selected('many')
    const list = (length: number) => Array.from({ length }, (_, index) => ({ name: `own-${index}` }))
    expect((await create(namespace, 'less', { imagePullSecrets: list(255) })).names).toHaveLength(256)
    expect((await create(namespace, 'full', { imagePullSecrets: list(256) })).names).toHaveLength(256)
  })

  test('stays within the cost budget, however long somebody makes the annotation', async () => {
    const metadata = { annotations: { [managedAnnotation]: 'a,'.repeat(100_000) } }
    expect(await create(await selected('long-annotation'), 'long', {}, metadata)).toEqual(linked)
  })

  test('stays within the cost budget, however long somebody makes the list', async () => {
    const imagePullSecrets = Array(100_000).fill({})
    expect((await create(await selected('long-list'), 'long', { imagePullSecrets })).names).toHaveLength(100_000)
  })

  test('that opts out is left alone, with our entry or without it', async () => {
    const namespace = await selected('out')
    const metadata = { annotations: { [optOutKey]: 'true' } }
    expect(await create(namespace, 'new', {}, metadata)).toEqual(untouched)
    const patch = {
      metadata: { annotations: { [optOutKey]: 'true', [managedAnnotation]: null } },
      imagePullSecrets: null,
    }
    await lab.patch(serviceAccountPath(namespace), patch)
    expect(await born(namespace)).toEqual(untouched)
  })

  test.each<[string, Partial<RegistryCredentialSpec>]>([
    ['suspended', { suspend: true }],
    ['not-allowed', { secretName: 'other' }],
    ['for-others', { serviceAccounts: ['deploy'] }],
  ])('gets nothing from a credential that is %s', async (why, given) => {
    expect(await born(await selected(why, given))).toEqual(untouched)
  })

  test('gets nothing from a credential that is being deleted', async () => {
    const namespace = lab.unique('deleted')
    const credential = await credentialFor(namespace)
    await lab.patch(`${credentialsPath}/${credential}`, { metadata: { finalizers: ['example.com/kept'] } })
    await lab.namespace('deleted')
    expect(await born(namespace)).toEqual(linked)
    await lab.deleteCredential(credential)
    await eventually(async () => {
      expect(await create(namespace, `late-${Date.now()}`)).toEqual(untouched)
    })
  })

  test('gets nothing in a namespace that opts out', async () => {
    const name = 'opted-out'
    const credential = await credentialFor(lab.unique(name))
    const namespace = await lab.namespace(name, { [useLabel(credential)]: 'false' })
    expect(await born(namespace)).toEqual(untouched)
  })
})

describe('a ServiceAccount that GitOps writes', () => {
  test.each([
    { name: 'default', force: true },
    { name: 'new', force: false },
  ])('by server-side apply (%j) keeps the reference, and a second apply changes nothing', async (options) => {
    const namespace = await selected(`applied-${options.name}`)
    const first = await apply(namespace, ['git1', 'git2'], options)
    expect(seen(first)).toEqual({ names: ['git1', 'git2', 'regcred'], managed: 'regcred' })
    const second = await apply(namespace, ['git1', 'git2'], options)
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('by kubectl apply and replace keeps the reference, and kubectl diff shows nothing but what was changed', async () => {
    const namespace = await selected('kubectl')
    const write = (name: string, ...list: string[]) => {
      const imagePullSecrets = list.map((each) => ({ name: each }))
      const manifest = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace }, imagePullSecrets }
      const file = join(folder, `${name}.json`)
      writeFileSync(file, JSON.stringify(manifest))
      return file
    }
    const file = write('app', 'git1')
    for (const _ of Array(2)) {
      await cluster.kubectl('apply', '-f', file)
      expect(await lab.references(namespace, 'app')).toEqual(['git1', 'regcred'])
      expect(await cluster.kubectl('diff', '-f', file)).toBe('')
    }
    const changed = cluster.kubectl('diff', '-f', write('app', 'git2')) // fails, as there is a difference
    await expect(changed).rejects.toThrow('diff')
    await cluster.kubectl('replace', '-f', file)
    expect(seen((await lab.serviceAccount(namespace, 'app')) as ServiceAccount)).toEqual({
      names: ['git2', 'regcred'],
      managed: 'regcred',
    })
    const other = write('other', 'git1')
    await cluster.kubectl('apply', '--server-side', '-f', other)
    expect(await cluster.kubectl('diff', '--server-side', '-f', other)).toBe('')
  })
})

describe('a pod', () => {
  async function created(
    namespace: string,
    name: string,
    list: string[],
    serviceAccount = 'default',
  ): Promise<string[]> {
    const { spec } = await lab.create<Pod>(podsPath(namespace), pod(name, list, serviceAccount))
    return namesOf(spec.imagePullSecrets)
  }
  const asks: Partial<RegistryCredentialSpec> = { pods: 'AddToOwnList', serviceAccounts: ['default', 'ci'] }

  test('with a list of its own gets the reference where the credential asks for it, and only once', async () => {
    const namespace = await selected('pods', asks)
    expect(await created(namespace, 'own', ['mine'])).toEqual(['mine', 'regcred'])
    expect(await created(namespace, 'has-it', ['regcred', 'mine'])).toEqual(['regcred', 'mine'])
    expect(await created(namespace, 'inherits', [])).toEqual(['regcred'])
  })

  test('gets one reference of each name from several credentials', async () => {
    const namespace = lab.unique('pods-several')
    for (const secretName of ['regcred', 'aaa', 'zzz']) await credentialFor(namespace, { ...asks, secretName })
    const twin = { source: { secretRef: { name: 'none' } }, namespaces: { include: [namespace], optIn: true } }
    await lab.credential('pods-twin', { ...twin, ...asks })
    await lab.namespace('pods-several')
    for (const round of Array(5).keys()) {
      const [own, ...added] = await created(namespace, `own-${round}`, ['mine'])
      expect([own, added.sort()]).toEqual(['mine', ['aaa', 'regcred', 'zzz']])
    }
  })

  test('keeps its list where no credential asks for it, or not for its ServiceAccount', async () => {
    const quiet = await selected('pods-quiet')
    expect(await created(quiet, 'own', ['mine'])).toEqual(['mine'])
    const namespace = await selected('pods-others', asks)
    await create(namespace, 'web')
    await create(namespace, 'ci')
    expect(await created(namespace, 'web', ['mine'], 'web')).toEqual(['mine'])
    expect(await created(namespace, 'ci', ['mine'], 'ci')).toEqual(['mine', 'regcred'])
  })
})
