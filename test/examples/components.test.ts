/** What the examples of the sources add to the Deployment, together: an operator that knows its folders, and a pod that is admitted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { parseConfig } from '../../src/config.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { openApi } from '../support/api.ts'

const cluster = sharedCluster()
const root = join(import.meta.dirname, '..', '..')

interface PodSpec {
  containers: [{ env: { name: string; value?: string }[]; volumeMounts: { mountPath: string }[] }]
}

async function deployedWith(...components: readonly string[]): Promise<PodSpec> {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  const path = (name: string) => relative(folder, join(root, name))
  try {
    const kustomization = { resources: [path('config/default')], components: components.map(path) }
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    const manifests = parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((each) => each.toJS())
    return manifests.find(({ kind }) => kind === 'Deployment').spec.template.spec
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('plugins and files together give a pod that the namespace of the operator admits, with their settings', async () => {
  const spec = await deployedWith('examples/sources/exec/operator', 'examples/sources/files/operator')
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'tested' }, spec }
  const api = openApi(cluster.adminKubeconfig)
  const path = '/api/v1/namespaces/regcred-system/pods?dryRun=All&fieldValidation=Strict'
  const { status, body } = await api('POST', path, pod)
  expect([status, body.message]).toEqual([201, undefined])

  const [{ env, volumeMounts }] = spec.containers
  const { sources } = parseConfig([], {
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
  })
  expect(sources).toEqual({ filesDir: '/etc/regcred/files', execPluginDir: '/plugins', execPluginEnv: ['AWS_REGION'] })
  expect(env).toContainEqual({ name: 'AWS_REGION', value: 'eu-central-1' })
  expect(volumeMounts.map(({ mountPath }) => mountPath).sort()).toEqual(
    expect.arrayContaining(['/etc/regcred/files/dockerhub', '/plugins', '/tmp']),
  )
})
