/** What kustomize makes of config/admission, alone and with config/secret-names, and that the two policies say the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { defaultSecretName, managedAnnotation, optOutKey, useLabel } from '../../src/api/names.ts'
import { type Policy, read } from '../admission/policies.ts'
import { testWithMutatingPolicies } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'

const cluster = sharedCluster()
const config = join(import.meta.dirname, '..', '..', 'config')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Writes a kustomization of folders of config/. */
function kustomization(fields: { namespace?: string; resources: string[]; components: string[] }): void {
  const path = (name: string) => relative(folder, join(config, name))
  const { resources, components } = fields
  const written = { ...fields, resources: resources.map(path), components: components.map(path) }
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(written))
}

interface Manifest {
  kind: string
  metadata: { name: string }
}

async function buildWith(...components: string[]): Promise<Manifest[]> {
  kustomization({ resources: ['default'], components })
  return parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((document) => document.toJS())
}

function policiesAmong(manifests: Manifest[]): Policy[] {
  return manifests.filter(({ kind }) => kind === 'MutatingAdmissionPolicy') as unknown as Policy[]
}

/** The list of Secret names in each policy, as CEL. */
function allowedIn(manifests: Manifest[]): (string | undefined)[] {
  return policiesAmong(manifests).map(({ spec }) => spec.variables.find(({ name }) => name === 'allowed')?.expression)
}

test('the policies are there only with the component, since older clusters do not know their kind', async () => {
  const admission = async (...components: string[]) =>
    (await buildWith(...components)).filter(({ kind }) => kind.startsWith('MutatingAdmissionPolicy'))
  expect(await admission()).toEqual([])
  const names = (await admission('admission')).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  expect(names.sort()).toEqual([
    'MutatingAdmissionPolicy pods.regcred.dev',
    'MutatingAdmissionPolicy serviceaccounts.regcred.dev',
    'MutatingAdmissionPolicyBinding pods.regcred.dev',
    'MutatingAdmissionPolicyBinding serviceaccounts.regcred.dev',
  ])
})

test('the component secret-names adds its name to both policies when it comes after them', async () => {
  const both = "['regcred', 'regcred-ci']"
  expect(allowedIn(await buildWith('admission'))).toEqual(["['regcred']", "['regcred']"])
  expect(allowedIn(await buildWith('admission', 'secret-names'))).toEqual([both, both])
  expect(allowedIn(await buildWith('secret-names', 'admission'))).toEqual(["['regcred']", "['regcred']"])
})

test('the names that a policy and RBAC know are the same, with the component as without it', async () => {
  for (const components of [['admission'], ['admission', 'secret-names']]) {
    const manifests = await buildWith(...components)
    const role = manifests.find(
      ({ kind, metadata }) => `${kind} ${metadata.name}` === 'ClusterRole regcred-operator-secrets',
    )
    const [{ resourceNames }] = (role as unknown as { rules: [{ resourceNames: string[] }] }).rules
    const list = `[${resourceNames.map((name) => `'${name}'`).join(', ')}]`
    expect(allowedIn(manifests)).toEqual([list, list])
  }
})

testWithMutatingPolicies(
  'in an installation into another namespace the API server takes them as they are',
  async () => {
    kustomization({ namespace: 'default', resources: [], components: ['admission'] })
    const applied = await cluster.kubectl('apply', '--server-side', '--dry-run=server', '-k', folder)
    expect(applied.trim().split('\n')).toHaveLength(4)
  },
)

test('the policies select by the same text, but for where a pod and a ServiceAccount have the name', () => {
  const [serviceAccounts, pods] = [read('serviceaccounts')[0].spec.variables, read('pods')[0].spec.variables]
  const own = ['sa', 'due'] // what they are about, and what they lack
  const inBoth = serviceAccounts.filter(({ name }) => pods.some((each) => each.name === name) && !own.includes(name))
  expect(inBoth.map(({ name }) => name)).toEqual(expect.arrayContaining(['allowed', 'selected', 'saSelected']))
  for (const variable of inBoth) expect(pods).toContainEqual(variable)
  expect(pods.map(({ name }) => name).filter((name) => !own.includes(name))).toEqual(inBoth.map(({ name }) => name))
})

test('the labels and annotations in them are those that the operator knows', () => {
  const text = JSON.stringify(read('serviceaccounts')[0].spec)
  const written = [...text.matchAll(/'([\w.-]+\/[\w.-]*)'/g)].map(([, key]) => key)
  expect(new Set(written)).toEqual(new Set([useLabel(''), optOutKey, managedAnnotation]))
  expect(text).toContain(`secretName.orValue('${defaultSecretName}')`)
})

test('an API server that does not know the parameters denies nothing', () => {
  for (const file of ['serviceaccounts', 'pods'] as const) {
    const [policy, binding] = read(file)
    expect(policy.spec.failurePolicy).toBe('Ignore')
    expect(binding.spec).toMatchObject({
      policyName: policy.metadata.name,
      paramRef: { parameterNotFoundAction: 'Allow' },
    })
  }
})
