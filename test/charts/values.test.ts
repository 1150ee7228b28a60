/** The values of the chart: what is refused, and that schema, defaults, settings of the operator and versions agree. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { parseConfig } from '../../src/config.ts'
import { helmWith } from '../parts/helm.ts'
import { chart, deploymentOf, everything, render, renderObjects, root } from './chart.ts'

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

test.each([
  { what: 'its defaults', args: [] },
  { what: 'everything on', args: ['-f', everything] },
])('helm finds nothing to say against the chart with $what', async ({ args }) => {
  expect(await helmWith()('lint', '--strict', chart, ...args)).toContain('1 chart(s) linted, 0 chart(s) failed')
})

/** What helm says of a value: its name, and what is wrong. */
const refused: [what: string, values: object, message: RegExp][] = [
  ['a name that does not exist', { replicas: 2 }, /additional properties 'replicas' not allowed/],
  ['a typo within a map', { evictPods: { enable: true } }, /\/evictPods.*additional properties 'enable' not allowed/s],
  ['a typo in a list', { monitoring: { readers: [{ nmae: 'a' }] } }, /\/monitoring\/readers\/0/],
  ['a text for a number', { replicaCount: '2' }, /\/replicaCount.*got string, want integer/s],
  ['a text for a switch', { guard: { enabled: 'no' } }, /\/guard\/enabled.*got string, want boolean/s],
  ['no Secret name at all', { secretNames: [] }, /\/secretNames.*minItems/s],
  ['a Secret name with a quote in it', { secretNames: ["a', 'b"] }, /\/secretNames\/0.*does not match pattern/s],
  ['a Secret name with two points in a row', { secretNames: ['a..b'] }, /\/secretNames\/0.*does not match pattern/s],
  ['a log level that does not exist', { logLevel: 'trace' }, /\/logLevel.*must be one of/s],
  ['a tag in the repository', { image: { repository: 'example.com:5000/operator:1.0' } }, /\/image\/repository/],
  [
    'no Secret names at all, which would be all Secrets to RBAC,',
    { secretNames: null },
    /missing property 'secretNames'/,
  ],
  ['a switch that is left empty', { guard: { enabled: null } }, /\/guard.*missing property 'enabled'/s],
  ['the own ServiceAccount as an identity', { identities: ['regcred-operator'] }, /\/identities\/0/],
  [
    'a trusted registry with a scheme',
    { trustedRegistries: { registries: ['https://ghcr.io'] } },
    /\/trustedRegistries\/registries\/0.*does not match pattern/s,
  ],
  [
    'a trusted name of Docker Hub without its registry',
    { trustedRegistries: { registries: ['docker.io/library', 'bitnami/redis'] } },
    /\/trustedRegistries\/registries\/1.*does not match pattern/s,
  ],
  [
    'a list of the registries of credentials that no policy reads',
    { trustedRegistries: { fromCredentials: true } },
    /trustedRegistries.fromCredentials needs trustedRegistries.enabled: true/,
  ],
  [
    'a ServiceMonitor without metrics',
    { metrics: { enabled: false }, monitoring: { serviceMonitor: { enabled: true } } },
    /monitoring needs metrics.enabled: true/,
  ],
]

test.each(refused)('%s is refused by name', async (_, values, message) => {
  await expect(render(values)).rejects.toThrow(message)
})

test('without the schema as well, RBAC is for no other Secrets than those of the names', async () => {
  const args = ['--skip-schema-validation']
  await expect(render({ secretNames: null }, { args })).rejects.toThrow('secretNames is empty')
})

test('it does not go into the namespace default, where others read Secrets', async () => {
  await expect(render({}, { namespace: 'default' })).rejects.toThrow('say --namespace regcred-system')
})

interface Schema {
  type?: string
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: unknown
}

/** All that a schema knows or a map has, with dots; of lists and maps with any keys only themselves. */
function pathsOf(properties: Record<string, unknown>, inner: (value: unknown) => object | undefined): string[] {
  return Object.entries(properties).flatMap(([name, value]) => {
    const below = pathsOf((inner(value) ?? {}) as Record<string, unknown>, inner)
    return below.length > 0 ? below.map((path) => `${name}.${path}`) : [name]
  })
}

test('the schema knows the values that there are, and no others', () => {
  const schema: Schema = JSON.parse(read(chart, 'values.schema.json'))
  const ofClosed = (value: unknown) =>
    (value as Schema).additionalProperties === false ? (value as Schema).properties : undefined
  const known = pathsOf(ofClosed(schema) ?? {}, ofClosed)
  const values: unknown = parse(read(chart, 'values.yaml'))
  const open = [
    'podSecurityContext',
    'resources',
    'nodeSelector',
    'monitoring.serviceMonitor.tlsConfig',
    'monitoring.dashboard.labels',
  ]
  const given = pathsOf(values as Record<string, unknown>, (value) => (isMap(value) ? value : undefined))
  const closed = new Set(given.map((path) => open.find((each) => path.startsWith(each)) ?? path))
  expect([...closed, 'global'].sort()).toEqual(known.sort())
})

test('what has a default cannot be taken away by null, which helm takes for no value at all', () => {
  const without = ({ required = [], properties = {} }: Schema, values: object): string[] =>
    Object.entries(values).flatMap(([name, value]) => {
      const schema = properties[name]
      const isRequired = value === null || required.includes(name)
      const inner = isMap(value) && schema?.additionalProperties === false ? without(schema, value) : []
      return [...(isRequired ? [] : [name]), ...inner.map((path) => `${name}.${path}`)]
    })
  const schema: Schema = JSON.parse(read(chart, 'values.schema.json'))
  expect(without(schema, parse(read(chart, 'values.yaml')))).toEqual([])
})

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

test('the versions of chart, operator, package and config are one', async () => {
  const { version, appVersion } = parse(read(chart, 'Chart.yaml'))
  const [image] = parse(read(root, 'config', 'manager', 'kustomization.yaml')).images
  expect([version, appVersion, image.newTag]).toEqual([packageJson.version, packageJson.version, packageJson.version])
  const { containers } = deploymentOf(await renderObjects()).spec.template.spec
  expect(containers[0].image).toBe(`${image.newName}:${image.newTag}`)
})

/** What the operator makes of the arguments that the chart gives it. */
async function settings(...args: string[]) {
  const { containers } = deploymentOf(await renderObjects({}, { args })).spec.template.spec
  const given = containers[0].args.map((arg) => arg.replace('$(POD_NAMESPACE)', 'regcred-system'))
  return parseConfig(given, { KUBERNETES_SERVICE_HOST: '10.0.0.1' })
}

test('by default the operator gets its own defaults', async () => {
  expect(await settings()).toEqual(parseConfig([], { KUBERNETES_SERVICE_HOST: '10.0.0.1' }))
})

test('every setting of the operator is a value, but for those that are the same in every pod', async () => {
  const [before, after] = [await settings(), await settings('-f', everything)]
  const { sources, kubeconfig, namespace, leaderElect, healthProbeBindAddress, metricsBindAddress, ...others } = after
  expect(others).toEqual({
    secretNames: ['regcred', 'regcred-ci'],
    concurrency: 8,
    caFiles: ['/etc/regcred/ca/internal-ca/ca.crt', '/etc/regcred/ca/openshift-service-ca.crt/service-ca.crt'],
    insecureHosts: ['registry.internal:5000', '[fd00::1]:5000'],
    metricsCertDir: '/metrics-certificate',
    trustedRegistries: 'trusted-registries',
    logLevel: 'debug',
  })
  expect(sources).toEqual({ filesDir: '/etc/regcred/files', execPluginDir: '/plugins', execPluginEnv: ['AWS_REGION'] })
  expect({ kubeconfig, namespace, leaderElect, healthProbeBindAddress, metricsBindAddress }).toMatchObject({
    kubeconfig: before.kubeconfig,
    namespace: before.namespace,
    leaderElect: before.leaderElect,
    healthProbeBindAddress: before.healthProbeBindAddress,
    metricsBindAddress: before.metricsBindAddress,
  })
  expect((await settings('--set', 'metrics.enabled=false')).metricsBindAddress).toBe('0')
})

test('every folder that the operator is told of is mounted', async () => {
  const deployment = deploymentOf(await renderObjects({}, { args: ['-f', everything] }))
  const { containers, volumes = [] } = deployment.spec.template.spec
  const [{ args, volumeMounts = [] }] = containers
  const folders = args.flatMap((arg) => /^--(?:\w+-)*(?:dir|file)=(\/.*)$/.exec(arg)?.[1] ?? [])
  expect(folders.length).toBe(5)
  const mounted = (folder: string) =>
    volumeMounts.some(({ mountPath }) => `${folder}/`.startsWith(`${mountPath}/`) || mountPath.startsWith(`${folder}/`))
  expect(folders.filter((folder) => !mounted(folder))).toEqual([])
  const names = volumes.map((volume) => (volume as { name: string }).name)
  expect(new Set(volumeMounts.map(({ name }) => name))).toEqual(new Set(names))
})

test('every file that is copied for the chart is in a template, and every one in a template is there', () => {
  const folder = (name: string) => readdirSync(join(chart, name), { recursive: true, encoding: 'utf8' })
  const files = folder('files').filter((name) => statSync(join(chart, 'files', name)).isFile())
  const templates = folder('templates').map((name) =>
    read(chart, 'templates', name).replaceAll(/{{- \/\*.*?\*\/}}/gs, ''),
  )
  const used = templates.flatMap((text) =>
    [...text.matchAll(/(?:\(list \$ "|"files\/)([^"%]+)"/g)].map(([, name]) => name),
  )
  expect(used.sort()).toEqual(files.sort())
})

test('without metrics nobody needs their RBAC, and a chart on its own brings no empty list of identities', async () => {
  const names = (await renderObjects({ metrics: { enabled: false } })).map(({ metadata }) => metadata.name)
  expect(names.filter((name) => /metrics|identities/.test(name))).toEqual([])
})

test('what is written after the installation names the namespace, and warns where a guard is missing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'))
  try {
    const values = join(folder, 'values.json')
    writeFileSync(values, JSON.stringify({ guard: { enabled: false }, replicaCount: 0, crds: { keep: false } }))
    const notes = (...args: string[]) =>
      helmWith()('install', 'any', chart, '--namespace', 'elsewhere', '--dry-run=client', ...args)
    const plain = await notes()
    expect(plain).toContain('kubectl -n elsewhere create secret docker-registry dockerhub')
    expect(plain).not.toMatch(/guard is off|No replica runs|crds\.keep/)
    const warned = await notes('-f', values)
    for (const warning of ['The guard is off', 'No replica runs', 'With crds.keep: false']) {
      expect(warned).toContain(warning)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
