/**
 * docs/how-to/upgrade.md: a new CRD over one before keeps the objects, and an installation by kubectl becomes a release of
 * Helm, and the other way round. On a control plane of its own.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { established } from '../cluster/established.ts'
import { eventually } from '../cluster/wait.ts'
import { openApi } from '../support/api.ts'
import { chart, helmOn, installers } from './installers.ts'

const previous = join(import.meta.dirname, 'previous-crd.yaml')
const crd = 'crd/registrycredentials.regcred.dev'
const release = ['regcred-operator', '--namespace', 'regcred-system']

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
})

afterAll(async () => {
  await cluster.stop()
})

afterEach(async () => {
  await cluster.kubectl('delete', crd, '--ignore-not-found')
  await cluster.kubectl('delete', '-k', 'config/default', '--ignore-not-found')
})

/** A chart like ours, with the CRD of before. */
async function withPreviousChart(use: (folder: string) => Promise<string>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'))
  try {
    cpSync(chart, folder, { recursive: true })
    cpSync(previous, join(folder, 'files', 'crds', 'registrycredentials.yaml'))
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const noPods = ['--set', 'replicaCount=0']

const ways = {
  kubectl: {
    before: async () => void (await cluster.kubectl('apply', '--server-side', '-f', previous)),
    upgrade: () => installers.kubectl.install(cluster),
  },
  helm: {
    before: () =>
      withPreviousChart((folder) => helmOn(cluster, 'install', ...release, '--create-namespace', ...noPods, folder)),
    upgrade: async () => void (await helmOn(cluster, 'upgrade', ...release, ...noPods, chart)),
  },
}

describe.each(Object.entries(ways))('by %s', (_, { before, upgrade }) => {
  test('a new CRD over the one before keeps the credentials, which get what is new from their next read on', async () => {
    await before()
    await established(cluster, crd)
    const api = openApi(cluster.adminKubeconfig)
    const spec = { source: { secretRef: { name: 'a' } }, namespaces: { include: ['team-*'] }, healPods: 'Evict' }
    const object = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata: { name: 'kept' }, spec }
    const made = await eventually(async () => {
      const answer = await api('POST', credentialsPath, object)
      expect(answer.status).toBe(201)
      return answer.body
    })
    expect(made.spec).not.toHaveProperty('healPods')
    await upgrade()
    const kept = await eventually(async () => {
      const { body } = await api('GET', `${credentialsPath}/kept`)
      expect(body.spec).toHaveProperty('healPods')
      return body
    })
    expect(kept.metadata).toMatchObject({ uid: made.metadata?.uid, resourceVersion: made.metadata?.resourceVersion })
    expect(kept.spec).toEqual({ ...(made.spec as object), healPods: 'Report', pods: 'Inherit' })
    await cluster.kubectl('delete', 'rcred', 'kept')
  })
})

test('what kubectl has installed becomes a release, and that one what kubectl applies', async () => {
  await cluster.kubectl('apply', '--server-side', '-k', 'config/default')
  await established(cluster, crd)
  const uids = () =>
    cluster.kubectl(
      'get',
      'crd,deploy,clusterrole,validatingadmissionpolicy',
      '-A',
      '-o',
      'jsonpath={.items[*].metadata.uid}',
    )
  const before = await uids()
  const image = ['--set', 'image.repository=registry.example.com/other']
  await expect(helmOn(cluster, 'install', ...release, chart, ...image)).rejects.toThrow(/cannot be imported/)
  await helmOn(cluster, 'install', ...release, chart, ...image, '--take-ownership', '--force-conflicts')
  expect(await uids()).toBe(before)
  expect(await imageOf()).toContain('registry.example.com/other:')
  await helmOn(cluster, 'upgrade', ...release, chart, '--set', 'image.repository=registry.example.com/another')
  expect(await imageOf()).toContain('registry.example.com/another:')

  await cluster.kubectl('apply', '--server-side', '--force-conflicts', '-k', 'config/default')
  await cluster.kubectl('-n', 'regcred-system', 'delete', 'secret', '-l', 'owner=helm,name=regcred-operator')
  expect(await uids()).toBe(before)
  expect(await imageOf()).toContain('ghcr.io/')
  expect(await helmOn(cluster, 'list', '--all-namespaces', '--short')).toBe('')
})

function imageOf(): Promise<string> {
  const path = 'jsonpath={.spec.template.spec.containers[0].image}'
  return cluster.kubectl('-n', 'regcred-system', 'get', 'deployment', 'regcred-operator', '-o', path)
}
