/** The overlays of config/ are built by kubectl, taken by the API server, and differ from the default where they say so. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { testWithMutatingPolicies } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'

const cluster = sharedCluster()
const config = join(import.meta.dirname, '..', '..', 'config')
const overlays = readdirSync(join(config, 'overlays'))

interface Manifest {
  kind: string
  metadata: { name: string }
  spec?: { replicas?: number; template?: { spec: PodSpec } }
}

interface PodSpec {
  imagePullSecrets?: object[]
  securityContext: object
  containers: [{ image: string }]
}

async function build(folder: string): Promise<Manifest[]> {
  return parseAllDocuments(await cluster.kubectl('kustomize', join(config, folder))).map((each) => each.toJS())
}

const names = (manifests: Manifest[]) => manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)

/** What the Deployment asks for. */
async function deployment(folder: string): Promise<{ replicas: number | undefined; pod: PodSpec }> {
  const spec = (await build(folder)).find(({ kind }) => kind === 'Deployment')?.spec
  if (spec?.template === undefined) throw new Error(`no Deployment in ${folder}`)
  return { replicas: spec.replicas, pod: spec.template.spec }
}

describe.each(overlays)('%s', (overlay) => {
  const testHere = overlay === 'high-availability' ? testWithMutatingPolicies : test

  testHere('the API server takes all of it, and knows every field', async () => {
    const folder = join(config, 'overlays', overlay)
    const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
    const applied = await cluster.kubectl('apply', ...flags, '-k', folder)
    expect(applied.trim().split('\n')).toHaveLength((await build(join('overlays', overlay))).length)
  })
})

test('there are four of them', () => {
  expect(overlays.sort()).toEqual(['air-gapped', 'high-availability', 'minimal', 'openshift'])
})

test('minimal is one replica without a disruption budget', async () => {
  const given = names(await build('default'))
  expect(names(await build('overlays/minimal'))).toEqual(
    given.filter((name) => !name.startsWith('PodDisruptionBudget')),
  )
  expect((await deployment('overlays/minimal')).replicas).toBe(1)
})

test('high-availability is the default and the admission policies', async () => {
  const given = names(await build('default'))
  const more = names(await build('overlays/high-availability')).filter((name) => !given.includes(name))
  expect(more.map((name) => name.split(' ')[0]).sort()).toEqual([
    ...['MutatingAdmissionPolicy', 'MutatingAdmissionPolicy'],
    ...['MutatingAdmissionPolicyBinding', 'MutatingAdmissionPolicyBinding'],
  ])
  expect((await deployment('overlays/high-availability')).replicas).toBe(2)
})

test('openshift names no user, and keeps the rest of the security context', async () => {
  expect((await deployment('overlays/openshift')).pod.securityContext).toEqual({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  })
})

test('air-gapped pulls from one registry, with a Secret', async () => {
  const { pod } = await deployment('overlays/air-gapped')
  expect(pod.containers.map(({ image }) => image)).toEqual([
    expect.stringMatching(/^registry\.example\.com\/regcred\/regcred-operator:\d/),
  ])
  expect(pod.imagePullSecrets).toEqual([{ name: 'regcred-operator-pull' }])
})
