/**
 * docs/how-to/upgrade.md: an upgrade from the release before keeps the objects, and an installation by kubectl becomes a
 * release of Helm, and the other way round. On a control plane of its own.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { JSONSchema } from 'json-schema-to-typescript'
import { readCrd } from '../../scripts/generate/crd.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { established } from '../cluster/established.ts'
import { eventually } from '../cluster/wait.ts'
import { openApi } from '../support/api.ts'
import { chart, helmOn, installers } from './installers.ts'
import { lastRelease, takeRelease } from './last-release.ts'

const root = join(import.meta.dirname, '..', '..')
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

interface Earlier {
  /** Makes `charts`, `config` and `crds` in an empty folder, as they were. */
  take(folder: string): void
  /** Fields with a default that its CRD does not know. */
  lacks: string[]
}

const tag = lastRelease()
/** What upgrades come from. There is a release before this one once the first is tagged. */
const earlier: Record<string, Earlier> = {
  'the CRD before spec.pods and spec.healPods': {
    take(folder) {
      for (const name of ['charts', 'config', 'crds']) cpSync(join(root, name), join(folder, name), { recursive: true })
      const files = ['crds', join('charts', 'regcred-operator', 'files', 'crds')]
      for (const file of files) cpSync(previous, join(folder, file, 'registrycredentials.yaml'))
    },
    lacks: ['healPods', 'pods'],
  },
  ...(tag !== undefined && { [`release ${tag}`]: { take: (folder: string) => takeRelease(tag, folder), lacks: [] } }),
}

const noPods = ['--set', 'replicaCount=0']

const ways = {
  kubectl: {
    install: async (from: string) =>
      void (await cluster.kubectl('apply', '--server-side', '-k', join(from, 'config', 'default'))),
    upgrade: () => installers.kubectl.install(cluster),
  },
  helm: {
    install: async (from: string) => {
      const old = join(from, 'charts', 'regcred-operator')
      await helmOn(cluster, 'install', ...release, '--create-namespace', ...noPods, old)
    },
    upgrade: async () => void (await helmOn(cluster, 'upgrade', ...release, ...noPods, chart)),
  },
}

/** The fields of the spec that are there though nobody has written them. */
async function defaults(): Promise<object> {
  const { schema } = await readCrd()
  const fields = Object.entries<JSONSchema>(schema.properties?.spec?.properties ?? {})
  return Object.fromEntries(fields.flatMap(([name, field]) => ('default' in field ? [[name, field.default]] : [])))
}

const table = Object.entries(ways).flatMap(([way, steps]) =>
  Object.entries(earlier).map(([from, has]) => ({ way, from, ...has, ...steps })),
)

test.each(table)(
  'by $way, from $from, credentials are kept, and have what is new from their next read on',
  async (each) => {
    const folder = mkdtempSync(join(tmpdir(), 'earlier-'))
    try {
      each.take(folder)
      await each.install(folder)
      await established(cluster, crd)
    } finally {
      rmSync(folder, { recursive: true })
    }
    const api = openApi(cluster.adminKubeconfig)
    const spec = { source: { secretRef: { name: 'a' } }, namespaces: { include: ['team-*'] } }
    const object = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata: { name: 'kept' }, spec }
    const made = await eventually(async () => {
      const answer = await api('POST', credentialsPath, object)
      expect(answer.status).toBe(201)
      return answer.body
    })
    for (const field of each.lacks) expect(made.spec).not.toHaveProperty(field)
    await each.upgrade()
    const kept = await eventually(async () => {
      const { body } = await api('GET', `${credentialsPath}/kept`)
      expect(body.spec).toEqual({ ...(await defaults()), ...(made.spec as object) })
      return body
    })
    expect(kept.metadata).toMatchObject({ uid: made.metadata?.uid, resourceVersion: made.metadata?.resourceVersion })
    await cluster.kubectl('delete', 'rcred', 'kept')
  },
)

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
