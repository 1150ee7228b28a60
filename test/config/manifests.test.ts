/** What kustomize makes of config/: names that agree, a pod that a restricted namespace admits, an install in one go. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import * as names from '../../src/api/names.ts'
import { startCluster } from '../cluster/cluster.ts'
import { established } from '../cluster/established.ts'
import { isServed } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { type Answer, openApi } from '../support/api.ts'

const cluster = sharedCluster()
const config = join(import.meta.dirname, '..', '..', 'config')

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  /** `resources` is missing where it is about nonResourceURLs. */
  rules: { resources?: string[]; resourceNames: string[]; verbs: string[] }[]
  subjects?: { namespace?: string }[]
  spec: {
    template: { metadata: { labels: object }; spec: PodSpec }
    selector: { matchLabels: object }
    variables: { name: string; expression: string }[]
  }
}

interface PodSpec {
  serviceAccountName: string
  containers: [{ args: string[]; env?: { name: string }[]; securityContext: object }]
}

async function build(folder: string): Promise<Manifest[]> {
  return parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((document) => document.toJS())
}

function find(manifests: Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}`)
  return found
}

/** The names of the Secrets according to RBAC, to the arguments of the operator, and to its guard (as CEL). */
function secretNames(manifests: Manifest[]): { rbac: unknown; args: unknown; guard: unknown } {
  const { args } = find(manifests, 'Deployment', 'regcred-operator').spec.template.spec.containers[0]
  return {
    rbac: find(manifests, 'ClusterRole', 'regcred-operator-secrets').rules.map(({ resourceNames }) => resourceNames),
    args: args.flatMap((arg) => /^--secret-name=(.*)$/.exec(arg)?.slice(1) ?? []),
    guard: find(manifests, 'ValidatingAdmissionPolicy', 'guard-serviceaccounts.regcred.dev').spec.variables[0],
  }
}

test('RBAC, the arguments of the Deployment and the guard name the same Secrets', async () => {
  expect(secretNames(await build(join(config, 'default')))).toEqual({
    rbac: [['regcred']],
    args: ['regcred'],
    guard: { name: 'allowed', expression: "['regcred']" },
  })
})

/** config/default with components, given by their folders. */
async function buildWith(...components: string[]): Promise<Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  const path = (name: string) => relative(folder, name)
  const kustomization = { resources: [path(join(config, 'default'))], components: components.map(path) }
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    return await build(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the component secret-names adds a name to all of them', async () => {
  const both = ['regcred', 'regcred-ci']
  const guard = { name: 'allowed', expression: "['regcred', 'regcred-ci']" }
  expect(secretNames(await buildWith(join(config, 'secret-names')))).toEqual({ rbac: [both], args: both, guard })
})

test('the disruption budget is for the pods of the Deployment', async () => {
  const manifests = await build(join(config, 'default'))
  const { labels } = find(manifests, 'Deployment', names.operatorName).spec.template.metadata
  expect(find(manifests, 'PodDisruptionBudget', names.operatorName).spec.selector.matchLabels).toEqual(labels)
})

test('the API server takes everything that it serves with all components, and knows every field', async () => {
  const trusted = 'policies/trusted-registries-from-credentials'
  const components = ['admission', 'secret-names', 'identities', 'evict-pods', 'network-policy', trusted]
  const manifests = (await buildWith(...components.map((name) => join(config, name)))).filter(isServed)
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  try {
    const file = join(folder, 'all.json')
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }))
    const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
    const applied = await cluster.kubectl('apply', ...flags, '-f', file)
    expect(applied.trim().split('\n')).toHaveLength(manifests.length)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('tokens of ServiceAccounts may be asked for only with the component identities, and only of those that it names', async () => {
  const tokens = (manifests: Manifest[]) =>
    manifests.flatMap(({ kind, metadata: { namespace }, rules = [] }) =>
      rules
        .filter(({ resources = [] }) => resources.some((resource) => /^(serviceaccounts\/token|\*)$/.test(resource)))
        .map(({ resourceNames, verbs }) => ({ kind, namespace, resourceNames, verbs })),
    )
  expect(tokens(await build(join(config, 'default')))).toEqual([])
  expect(tokens(await buildWith(join(config, 'identities')))).toEqual([
    { kind: 'Role', namespace: 'regcred-system', resourceNames: ['ecr-puller'], verbs: ['create'] },
  ])
})

test('pods may be evicted only with the component evict-pods, and by the operator alone', async () => {
  const evictions = (manifests: Manifest[]) =>
    manifests.flatMap(({ kind, metadata: { name }, rules = [] }) =>
      rules
        .filter(({ resources = [] }) => resources.some((resource) => /^(pods\/.*|\*)$/.test(resource)))
        .map(({ resources, verbs }) => ({ kind, name, resources, verbs })),
    )
  expect(evictions(await build(join(config, 'default')))).toEqual([])
  const manifests = await buildWith(join(config, 'evict-pods'))
  const name = 'regcred-operator-evict-pods'
  expect(evictions(manifests)).toEqual([{ kind: 'ClusterRole', name, resources: ['pods/eviction'], verbs: ['create'] }])
  const subject = { kind: 'ServiceAccount', name: names.operatorName, namespace: names.systemNamespace }
  expect(find(manifests, 'ClusterRoleBinding', name)).toMatchObject({ roleRef: { name }, subjects: [subject] })
})

test.each(['exec', 'files'])('what the example of the source %s adds to the Deployment fits it', async (source) => {
  const component = join(config, '..', 'examples', 'sources', source, 'operator')
  const { spec } = find(await buildWith(component), 'Deployment', names.operatorName)
  const [{ env, args }] = spec.template.spec.containers
  expect(env?.map(({ name }) => name)).toEqual(expect.arrayContaining(['POD_NAMESPACE', 'POD_NAME']))
  expect(env?.some(({ name }) => name.startsWith('REGCRED_'))).toBe(true)
  expect(args).toContain('--namespace=$(POD_NAMESPACE)')
})

test('a kustomization with another namespace installs everything into that one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  try {
    const resources = [relative(folder, join(config, 'default'))]
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ namespace: 'elsewhere', resources }))
    const manifests = await build(folder)
    const namespaces = manifests.flatMap(({ metadata, subjects = [] }) => [metadata, ...subjects]).flatMap(namespaceOf)
    expect(new Set(namespaces)).toEqual(new Set(['elsewhere']))
    expect(find(manifests, 'Namespace', 'elsewhere')).toBeDefined()
    const { args } = find(manifests, 'Deployment', names.operatorName).spec.template.spec.containers[0]
    expect(args).toContain('--namespace=$(POD_NAMESPACE)')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function namespaceOf({ namespace }: { namespace?: string }): string[] {
  return namespace === undefined ? [] : [namespace]
}

test('the names are those that the operator knows', async () => {
  const manifests = await build(join(config, 'default'))
  const { metadata, spec } = find(manifests, 'Deployment', names.operatorName)
  expect(metadata.namespace).toBe(names.systemNamespace)
  expect(spec.template.spec.serviceAccountName).toBe(names.operatorName)
  expect(find(manifests, 'Role', names.operatorName).rules.flatMap(({ resourceNames }) => resourceNames ?? [])).toEqual(
    [
      names.markKeySecret,
      ...[...'0123456789abcdef'].map((digit) => names.stateSecretPrefix + digit),
      names.operatorName,
    ],
  )
  expect(find(manifests, 'CustomResourceDefinition', `${names.plural}.${names.group}`)).toBeDefined()
})

test('a namespace that enforces the restricted Pod Security Standard admits the pod, and not a laxer one', async () => {
  const api = openApi(cluster.adminKubeconfig)
  const { metadata, spec } = find(await build(join(config, 'default')), 'Deployment', 'regcred-operator').spec.template
  const create = (spec: PodSpec): Promise<Answer> => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'tested' }, spec }
    return api('POST', '/api/v1/namespaces/regcred-system/pods?dryRun=All', pod)
  }
  expect(await create(spec)).toMatchObject({ status: 201 })
  const [container] = spec.containers
  const lax = { ...spec, containers: [{ ...container, securityContext: {} }] as [typeof container] }
  expect(await create(lax)).toMatchObject({ status: 403, body: { message: expect.stringContaining('restricted') } })
})

test('one kubectl apply installs everything into an empty cluster, and a second one changes nothing', async () => {
  const empty = await startCluster({ say: () => {} })
  try {
    const apply = () => empty.kubectl('apply', '--server-side', '-k', join(config, 'default'))
    expect(await apply()).toContain('deployment.apps/regcred-operator serverside-applied')
    await established(empty, 'crd/registrycredentials.regcred.dev')
    const versions = () =>
      empty.kubectl('get', '-k', join(config, 'default'), '-o', 'jsonpath={.items[*].metadata.generation}')
    const before = await versions()
    await apply()
    expect(await versions()).toBe(before)
    expect(await empty.kubectl('get', 'rcred')).toBe('')
  } finally {
    await empty.stop()
  }
})
