/**
 * The examples of the sources do what they are for: each is applied as it is written, but for where its issuer is, for
 * texts that are made up and that the issuer checks, and for asking the registry. On a control plane of its own, since all of
 * them select `team-*`.
 */
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Installation } from '../controller/installation.ts'
import { Lab } from '../controller/lab.ts'
import { ecrCredentialProviderPath } from '../parts/ecr-credential-provider.ts'
import type { Wish } from '../sources/contract.ts'
import type { IssuerServer } from '../sources/issuer-server.ts'
import { swapFiles } from '../sources/volume.ts'
import { kept, type Run, runs } from './source-runs.ts'

type Manifest =
  | (RegistryCredential & { kind: 'RegistryCredential' })
  | { kind: 'Secret'; metadata: { name: string }; stringData: Record<string, string> }
  | { kind: 'ServiceAccount'; metadata: { name: string } }

const root = join('examples', 'sources')
const noNode = 'by an operator with the variables of its patch: there is no node that could run the patched pod'
const examples = readdirSync(root).sort()
const notRun: Readonly<Record<string, string>> = { exec: noNode, files: noNode }

const wish: Wish = { secret: 'example-of-an-issued-secret', expiresAt: new Date(Date.now() + 3_600_000) }
const filesDir = mkdtempSync(join(tmpdir(), 'regcred-test-'))
const servers = new Map<string, IssuerServer>()
let cluster: OwnedCluster
let lab: Lab
let installation: Installation
let operator: RunningOperator
/** Selected by all examples, and by none. */
let team: string
let other: string

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  lab = new Lab(cluster)
  team = await lab.namespace('team-blue')
  other = await lab.namespace('blue')
  installation = new Installation(lab)
  const serviceAccounts = examples.flatMap(manifestsOf).filter(({ kind }) => kind === 'ServiceAccount')
  await installation.allowTokens(serviceAccounts.map(({ metadata }) => metadata.name))
  const env: Record<string, string> = {}
  for (const [example, { issuer, tls, env: variables }] of Object.entries(runs)) {
    if (issuer === undefined) continue
    const server = await installation.issuer(issuer(wish, lab.client), tls)
    servers.set(example, server)
    // Those of AWS share a variable and thus the last of their servers, which answers as the others do.
    Object.assign(env, variables?.(server.url))
  }
  operator = await installation.start({ env: { ...env, ...patchedVariables() } })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  const exitCode = await operator.stop()
  await Promise.all([...servers.values()].map((server) => server.stop()))
  await installation.remove()
  await lab.close()
  await cluster.stop()
  rmSync(filesDir, { recursive: true })
  expect(exitCode).toBe(0)
})

/** Nothing is left for the next one, which writes into the same Secret. */
afterEach(async () => {
  await cluster.kubectl('delete', 'rcred', '--all', '--timeout=60s')
  await eventually(async () => expect(await lab.secret(team)).toBeNull())
  expect(await lab.references(team)).toEqual([])
})

function manifestsOf(example: string): Manifest[] {
  const files = globSync(join(root, example, '*.yaml')).sort()
  return files.flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS() as Manifest))
}

/** Of the operator's container, as an example's patch of the Deployment sets them. */
function patchOf(example: string): { variables: Record<string, string>; mountPaths: string[] } {
  const { patches } = parse(readFileSync(join(root, example, 'operator', 'kustomization.yaml'), 'utf8'))
  const [{ env, volumeMounts }] = parse(patches[0].patch).spec.template.spec.containers
  return {
    variables: Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, value])),
    mountPaths: volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath),
  }
}

/** What the patches of exec and files set, but for where the folders are on this machine, and AWS for the plugin. */
function patchedVariables(): Record<string, string> {
  const { variables, mountPaths } = patchOf('files')
  for (const path of mountPaths) swapFiles(join(filesDir, basename(path)), { ...kept })
  const ofPlugins = patchOf('exec').variables
  return {
    ...variables,
    REGCRED_FILES_DIR: filesDir,
    ...ofPlugins,
    REGCRED_EXEC_PLUGIN_DIR: dirname(ecrCredentialProviderPath()),
    REGCRED_EXEC_PLUGIN_ENV: `${ofPlugins.REGCRED_EXEC_PLUGIN_ENV},AWS_ENDPOINT_URL`,
  }
}

/** The manifest for an issuer at this URL. */
function adapted(manifest: Manifest, { fields, host, texts = {} }: Run, url: string): Manifest {
  if (manifest.kind === 'Secret') {
    const stringData = Object.entries(manifest.stringData).map(([key, text]) => [key, texts[key] ?? text])
    return { ...manifest, stringData: Object.fromEntries(stringData) }
  }
  if (manifest.kind !== 'RegistryCredential') return manifest
  const { spec } = manifest
  const source = Object.entries(spec.source).map(([kind, given]) => [kind, { ...given, ...fields?.(url) }])
  const registries = spec.registries?.map((key) => (host ? key.replace(host, new URL(url).host) : key))
  return { ...manifest, spec: { ...spec, source: Object.fromEntries(source), ...(registries && { registries }) } }
}

test('every example is run', () => {
  expect(Object.keys(runs).sort()).toEqual(examples)
})

test.each(examples.map((example) => ({ example, how: notRun[example] ?? 'as it is applied' })))(
  'the example $example brings its login to the namespaces that it selects ($how)',
  async ({ example }) => {
    const run = runs[example] ?? { expected: () => ({}) }
    const url = servers.get(example)?.url ?? ''
    const manifests = manifestsOf(example).map((manifest) => adapted(manifest, run, url))
    for (const manifest of manifests) await cluster.apply(JSON.stringify(manifest))
    const credential = manifests.find(({ kind }) => kind === 'RegistryCredential')
    await lab.ready(credential?.metadata.name ?? '')
    expect(await lab.logins(team)).toEqual(run.expected(wish, url))
    await eventually(async () => expect(await lab.references(team)).toEqual(['regcred']))
    expect(await lab.secret(other)).toBeNull()
  },
)
