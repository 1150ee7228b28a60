/** What kustomize makes of config/policies, and that its parts agree: policy, list, the operator's flag and its right. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { trustedKey } from '../../src/api/names.ts'
import { trustedNeed } from '../../src/cli/doctor/needs.ts'
import { readTrusted } from '../admission/trusted.ts'
import { sharedCluster } from '../cluster/shared.ts'

const cluster = sharedCluster()
const config = join(import.meta.dirname, '..', '..', 'config')

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  rules?: { apiGroups?: string[]; resources?: string[]; resourceNames?: string[]; verbs: string[] }[]
  data?: Record<string, string>
  spec?: { template: { spec: { containers: [{ args: string[] }] } } }
}

async function build(resources: string[], components: string[] = []): Promise<Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  const path = (name: string) => relative(folder, join(config, name))
  try {
    const written = { resources: resources.map(path), components: components.map(path) }
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(written))
    return parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((document) => document.toJS())
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const policies = 'policies/trusted-registries'
const component = 'policies/trusted-registries-from-credentials'

test('the API server takes the policy as it stands, and every binding is for it and its list', async () => {
  const folder = join(config, policies)
  const applied = await cluster.kubectl('apply', '--server-side', '--dry-run=server', '--validate=strict', '-k', folder)
  expect(applied.trim().split('\n')).toHaveLength(5)
  const [policy, ...bindings] = readTrusted()
  const [list] = (await build([policies])).filter(({ kind }) => kind === 'ConfigMap')
  expect(bindings).toHaveLength(3)
  const { name, namespace } = list?.metadata ?? {}
  for (const { spec } of bindings) {
    expect(spec).toMatchObject({ policyName: policy.metadata.name, paramRef: { name, namespace } })
  }
})

test('where images are only told of, nothing is refused for want of a list', () => {
  const [policy, ...bindings] = readTrusted()
  expect(policy.spec.failurePolicy).toBe('Fail')
  for (const { spec } of bindings) {
    const denies = spec.validationActions.includes('Deny')
    expect(spec.paramRef).toMatchObject({ parameterNotFoundAction: denies ? 'Deny' : 'Allow' })
  }
})

test('the list trusts nothing as it is installed', async () => {
  const [list] = (await build([policies])).filter(({ kind }) => kind === 'ConfigMap')
  expect(Object.keys(list?.data ?? {})).toEqual(['registries'])
  expect(list?.data?.registries).toMatch(/^(#.*\n)+$/)
})

test('the operator may write that ConfigMap, and is told to, with the component alone', async () => {
  const about = (manifests: Manifest[]) =>
    manifests.flatMap(({ kind, metadata: { namespace }, rules = [] }) =>
      rules.filter(({ resources = [] }) => resources.includes('configmaps')).map((rule) => ({ kind, namespace, rule })),
    )
  const told = (manifests: Manifest[]) =>
    manifests.flatMap(({ kind, spec }) => (kind === 'Deployment' ? (spec?.template.spec.containers[0].args ?? []) : []))
  const plain = await build(['default', policies])
  expect(about(plain)).toEqual([])
  expect(told(plain).join()).not.toContain('trusted')
  const manifests = await build(['default', policies], [component])
  const names = readTrusted()[0].metadata.name.split('.', 1)
  const { group, resource, verbs } = trustedNeed(names)
  const rule = { apiGroups: [group], resources: [resource], resourceNames: names, verbs }
  expect(about(manifests)).toEqual([{ kind: 'Role', namespace: 'regcred-system', rule }])
  expect(told(manifests)).toContain(`--trusted-registries=${names}`)
})

test('the policy reads the key that the operator writes', () => {
  const texts = readTrusted()[0].spec.variables.find(({ name }) => name === 'texts')
  expect(texts?.expression).toContain(`params.?data.?${trustedKey}.`)
})
