/** What is planned is what the operator then does: each step is planned, applied, and compared. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { NamespaceDiff } from '../../../src/cli/plan/diff.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab } from '../../controller/lab.ts'
import { leaksIn, newCanary } from '../../support/canary.ts'
import { type Outcome, regcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

let lab: Lab
let operator: RunningOperator
let source: string
let other: string
/** Selected by `include`, and by nothing else than their names. */
let [red, blue, foreign]: string[] = []

const password = newCanary()
const printed: string[] = []

interface Planned {
  summary: { namespaces: number; problems: number }
  credentials: { name: string; action: string }[]
  namespaces: NamespaceDiff[]
  pending: number
  notes: string[]
}

/** Of a namespace: the docker config keys of its Secret, null without one; and the references by ServiceAccount. */
interface State {
  keys: string[] | null
  references: Record<string, string[]>
}

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('plan', { 'ghcr.io': login('robot'), 'quay.io': login('robot') })
  other = await lab.source('plan-other', { 'ghcr.io': login('other'), 'docker.io/acme': login('other') })
  red = await lab.namespace('plan-red')
  blue = await lab.namespace('plan-blue')
  foreign = await lab.namespace('plan-foreign')
  await lab.create(`/api/v1/namespaces/${foreign}/secrets`, {
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': '{"auths":{"foreign.example.com":{}}}' },
  })
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

function login(username: string) {
  return { username, password }
}

function manifest(name: string, spec: object): string {
  const namespaces = { include: ours() }
  const whole = { verify: { policy: 'Skip' }, namespaces, ...spec }
  return JSON.stringify({
    apiVersion: 'regcred.dev/v1',
    kind: 'RegistryCredential',
    metadata: { name: lab.unique(name) },
    spec: whole,
  })
}

async function run(args: string[], input = '', kubeconfig = lab.cluster.adminKubeconfig): Promise<Outcome> {
  const ran = await regcred(['plan', ...args], { input, kubeconfig })
  printed.push(ran.stdout, ran.stderr)
  return ran
}

async function plan(args: string[], input?: string): Promise<Planned> {
  const { code, stdout, stderr } = await run([...args, '-o', 'json'], input)
  expect({ code, stderr }).toEqual({ code: expect.any(Number), stderr: '' })
  const planned: Planned = JSON.parse(stdout)
  const isNews = planned.summary.namespaces > 0 || planned.credentials.some(({ action }) => action !== 'unchanged')
  expect(code).toBe(isNews ? 1 : 0)
  return planned
}

function labelled(name: string) {
  return { name, namespace: 'regcred-system', labels: { team: 'platform' } }
}

/** In the operator's namespace. */
function secretOf(name: string, given: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'regcred-system' },
    type: 'kubernetes.io/dockerconfigjson',
    ...given,
  })
}

const ours = () => [red, blue, foreign].map((name) => name ?? '')

async function stateOf(namespace: string): Promise<State> {
  const accounts = await lab.client.get<{ items: { metadata: { name: string } }[] }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts`,
  )
  const names = accounts.items.map(({ metadata }) => metadata.name)
  const references = await Promise.all(names.map(async (name) => [name, await lab.references(namespace, name)]))
  const logins = await lab.logins(namespace)
  return { keys: logins && Object.keys(logins).sort(), references: Object.fromEntries(references) }
}

async function states(): Promise<Record<string, State>> {
  const all = await Promise.all(ours().map(async (name) => [name, await stateOf(name)]))
  return Object.fromEntries(all)
}

/** What is to be there after the plan. */
function predicted(before: Record<string, State>, { namespaces }: Planned): Record<string, State> {
  const after = structuredClone(before)
  for (const { namespace, secrets, serviceAccounts } of namespaces) {
    const state = after[namespace]
    if (state === undefined) throw new Error(`the plan has namespace ${namespace}, which is none of this test`)
    for (const { action, entries } of secrets) {
      const keys = new Set(state.keys)
      for (const { key, change } of entries) change === 'removed' ? keys.delete(key) : keys.add(key)
      state.keys = action === 'delete' ? null : [...keys].sort()
    }
    for (const { name, added, removed } of serviceAccounts) {
      const had = (state.references[name] ?? []).filter((each) => !removed.includes(each))
      state.references[name] = [...had, ...added]
    }
  }
  return after
}

/** Plans, does it, and waits for what was planned; then nothing is left to plan. */
async function planned(input: string, ...args: string[]): Promise<Planned> {
  const before = await states()
  const result = await plan(input === '' ? args : ['-f', '-', ...args], input)
  const after = predicted(before, result)
  if (input !== '') await lab.cluster.apply(input)
  for (const [index, arg] of args.entries()) {
    if (arg === '--delete') await lab.deleteCredential(args[index + 1] ?? '')
  }
  await eventually(async () => expect(await states()).toEqual(after), { describe: 'what was planned' })
  if (input !== '') {
    await eventually(async () => {
      const again = await plan(['-f', '-'], input)
      expect({ ...again.summary, pending: again.pending }).toMatchObject({ namespaces: 0, pending: 0 })
    })
  }
  return result
}

function secretsOf({ namespaces }: Planned, namespace: string | undefined) {
  return namespaces.find((each) => each.namespace === namespace)?.secrets
}

test('a new credential, with a foreign Secret in its way', async () => {
  const result = await planned(manifest('first', { source: { secretRef: { name: source } } }))
  expect(result.credentials).toEqual([{ name: lab.unique('first'), action: 'create' }])
  expect(secretsOf(result, red)).toMatchObject([{ name: 'regcred', action: 'create' }])
  expect(secretsOf(result, foreign)).toEqual([])
  expect(result.namespaces.flatMap(({ problems }) => problems.map(({ reason }) => reason))).toEqual(['NotOwned'])
})

test('a second credential in the same Secret, whose higher priority takes a key over', async () => {
  const result = await planned(manifest('second', { source: { secretRef: { name: other } }, priority: 1 }))
  const [secret] = secretsOf(result, red) ?? []
  expect(secret).toEqual({
    name: 'regcred',
    action: 'update',
    entries: [
      { key: 'docker.io/acme/', change: 'added', credential: lab.unique('second') },
      { key: 'ghcr.io', change: 'changed', credential: lab.unique('second'), previous: lab.unique('first') },
    ],
  })
  expect(result.namespaces.flatMap(({ serviceAccounts }) => serviceAccounts)).toEqual([])
})

test('a source Secret in the file, whose new login comes under the same keys', async () => {
  const secret = (token: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: source, namespace: 'regcred-system' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: {
      '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': login(token), 'quay.io': login(token) } }),
    },
  })
  const { credentials, namespaces } = await plan(['-f', '-'], JSON.stringify(secret('another')))
  expect(credentials).toEqual([{ name: lab.unique('first'), action: 'unchanged' }])
  const entry = { key: 'quay.io', change: 'mayChange', credential: lab.unique('first') }
  expect(namespaces.map(({ namespace, secrets }) => [namespace, secrets])).toEqual(
    [blue, red].map((namespace) => [namespace, [{ name: 'regcred', action: 'update', entries: [entry] }]]),
  )
})

test('fewer registries, and one namespace less', async () => {
  const spec = { source: { secretRef: { name: source } }, registries: ['quay.io'] }
  const namespaces = { include: [red, foreign] }
  await planned(manifest('first', { ...spec, namespaces }))
})

test('a namespace that opts out, and all the ServiceAccounts of another', async () => {
  const label = { [`use.regcred.dev/${lab.unique('second')}`]: 'false' }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: blue, labels: label } }
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: red } }
  const credential = manifest('second', { source: { secretRef: { name: other } }, serviceAccounts: ['*'] })
  const result = await planned(
    [namespace, account]
      .map((each) => JSON.stringify(each))
      .concat(credential)
      .join('\n---\n'),
  )
  expect(secretsOf(result, blue)).toMatchObject([{ action: 'delete' }])
  expect(result.namespaces.find((each) => each.namespace === red)?.serviceAccounts).toEqual([
    { name: 'builder', added: ['regcred'], removed: [], released: [] },
  ])
})

test('a field that is no longer in a file that kubectl applies in its own way is gone', async () => {
  const name = lab.unique('fields')
  const file = (extra: object) => manifest('fields', { source: { secretRef: { name: source } }, ...extra })
  const excluding = file({
    namespaces: { include: [red, blue], exclude: [blue] },
    secretName: 'regcred',
    suspend: true,
  })
  await writeFile(join(lab.cluster.dir, `${name}.json`), excluding)
  await lab.cluster.kubectl('apply', '-f', join(lab.cluster.dir, `${name}.json`))
  const { namespaces } = await plan(['-f', '-'], file({ namespaces: { include: [red, blue] } }))
  expect(namespaces.map(({ namespace }) => namespace).sort()).toEqual([blue, red].sort())
  await lab.deleteCredential(name)
})

test('a credential that is deleted, and one that leaves everything behind', async () => {
  await planned(
    manifest('second', { source: { secretRef: { name: other } }, serviceAccounts: ['*'], deletionPolicy: 'Orphan' }),
  )
  const first = await planned('', '--delete', lab.unique('first'))
  expect(secretsOf(first, red)).toMatchObject([{ action: 'update' }])
  const second = await planned('', '--delete', lab.unique('second'))
  expect(secretsOf(second, red)).toMatchObject([{ action: 'release', entries: [] }])
})

test('a source that is not there, or that cannot be used, is told', async () => {
  const missing = await plan(['-f', '-'], manifest('missing', { source: { secretRef: { name: 'missing' } } }))
  expect(missing.notes).toEqual([expect.stringContaining('source Secret missing is not there: nothing is written')])
  expect(missing.summary.namespaces).toBe(0)
  const text = manifest('unusable', { source: { secretRef: { name: 'unusable' } } })
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'unusable', namespace: 'regcred-system' },
    stringData: { password },
  }
  const unusable = await plan(['-f', '-'], `${text}\n---\n${JSON.stringify(secret)}`)
  expect(unusable.notes).toEqual([
    expect.stringContaining('source Secret unusable cannot be used: it has no key username'),
  ])
})

test('a Secret is checked by the API server as the others are, and what it says of it is not quoted', async () => {
  const { code, stdout, stderr } = await run(['-f', '-'], secretOf(source, { type: 'Opaque' }))
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(`the API server refuses Secret ${source} (Invalid: type)`)
  const number = await run(['-f', '-'], secretOf(source, { data: { '.dockerconfigjson': `%${password}` } }))
  expect([number.code, number.stderr]).toEqual([2, expect.stringContaining(`refuses Secret ${source} (`)])
})

test('what a file does not say of a Secret stays as it is', async () => {
  const namespaces = { include: [await lab.namespace('plan-same')], optIn: false }
  const name = await lab.credential('same', { source: { secretRef: { name: source } }, namespaces })
  await lab.ready(name)
  const { credentials, notes, summary } = await plan(['-f', '-'], secretOf(source, { metadata: labelled(source) }))
  expect(credentials).toContainEqual({ name, action: 'unchanged' })
  expect([notes, summary.namespaces]).toEqual([[], 0])
})

test('what names no namespace is applied to the one of the flag, and Secrets of others are not looked at', async () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'new' } }
  const green = await lab.namespace('plan-placed')
  await lab.ready(
    await lab.credential('placed', {
      source: { secretRef: { name: source } },
      namespaces: { include: [green], optIn: false },
      serviceAccounts: ['new'],
    }),
  )
  const secret = { ...JSON.parse(secretOf('anything', {})), metadata: { name: 'anything' } }
  const input = `${JSON.stringify(account)}\n---\n${JSON.stringify(secret)}`
  const { namespaces, notes } = await plan(['-f', '-', '-n', green], input)
  expect(namespaces).toMatchObject([{ namespace: green, serviceAccounts: [{ name: 'new', added: ['regcred'] }] }])
  expect(notes).toEqual(['Not looked at: Secret/anything.'])
})

test('a Secret of the name in the operator’s own namespace is in the way, also where it comes with the file', async () => {
  const namespaces = { include: ['regcred-system'] }
  const text = manifest('own-namespace', { source: { secretRef: { name: 'regcred' } }, namespaces })
  const stringData = { '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': login('robot') } }) }
  const { namespaces: changed } = await plan(['-f', '-'], `${text}\n---\n${secretOf('regcred', { stringData })}`)
  expect(changed).toMatchObject([{ secrets: [], serviceAccounts: [], problems: [{ reason: 'SourceSecret' }] }])
})

test('a Secret of another type is not taken over, whatever its annotations say', async () => {
  const [taken, opaque] = [await lab.namespace('plan-taken'), await lab.namespace('plan-opaque')]
  const annotations = { 'regcred.dev/adopt': 'true' }
  const there = { metadata: { name: 'regcred', annotations } }
  await lab.create(`/api/v1/namespaces/${opaque}/secrets`, there)
  const data = { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{}' } }
  await lab.create(`/api/v1/namespaces/${taken}/secrets`, { ...there, ...data })
  const spec = { source: { secretRef: { name: source } }, namespaces: { include: [taken, opaque] } }
  const { namespaces } = await plan(['-f', '-'], manifest('adopting', spec))
  expect(namespaces).toMatchObject([
    { namespace: opaque, secrets: [], problems: [{ reason: 'NotOwned' }] },
    { namespace: taken, secrets: [{ action: 'take' }], problems: [] },
  ])
})

test('who may not read Secrets is told the same, and that it is by the status', async () => {
  const green = await lab.namespace('plan-green')
  const namespaces = { include: [green], optIn: false }
  const name = await lab.credential('limited', { source: { secretRef: { name: source } }, namespaces })
  await lab.ready(name)
  const others = { apiGroups: [''], resources: ['namespaces', 'serviceaccounts'], verbs: ['list'] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('list'), others] })
  const ran = await run(['--delete', name, '-o', 'json'], '', kubeconfig)
  expect(ran).toMatchObject({ code: 1, stderr: '' })
  const limited: Planned = JSON.parse(ran.stdout)
  expect(limited.notes).toEqual([expect.stringContaining('You may not list Secrets')])
  expect(limited.namespaces).toEqual((await plan(['--delete', name])).namespaces)
  expect(secretsOf(limited, green)).toMatchObject([
    { action: 'delete', entries: [{ key: 'ghcr.io' }, { key: 'quay.io' }] },
  ])
})

test('who may not even read credentials is told which right is missing', async () => {
  const nobody = await userWith({})
  const { code, stdout, stderr } = await run(['--delete', 'any'], '', nobody)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^Error from server \(Forbidden\): .*cannot list resource "(registrycredentials|namespaces)"/)
})

test('what the schema refuses is said as kubectl says it', async () => {
  const { code, stderr, stdout } = await run(['-f', '-'], manifest('wrong', { source: {} }))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^Error from server \(Invalid\): .*spec.source/)
})

test('nothing of a login is printed', () => {
  expect(printed.length).toBeGreaterThan(20)
  expect(leaksIn({ output: printed.join('\n') }, { password })).toEqual([])
})
