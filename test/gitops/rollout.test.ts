/**
 * The signal for pipelines: at every step of a rollout kstatus, Argo CD's health and `kubectl wait` say what is true of the
 * namespaces.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { kstatusOf } from '../controller/history.ts'
import { Lab, type Login, secretPath } from '../controller/lab.ts'
import type { Verdict } from '../model/kstatus.ts'
import { type IssuerServer, startIssuer } from '../sources/issuer-server.ts'
import { healthByVerdict, healthOf } from './health.ts'

let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const auths = (password: string) => ({ 'ghcr.io': { username: 'robot', password } })

/** What a pipeline runs. True: it was ready within the time. */
async function kubectlWait(name: string, seconds: number): Promise<boolean> {
  try {
    await lab.cluster.kubectl('wait', '--for=condition=Ready', `rcred/${name}`, `--timeout=${seconds}s`)
    return true
  } catch (error) {
    expect(String(error)).toContain('timed out waiting for the condition')
    return false
  }
}

/** Fails unless each namespace has this login, and its ServiceAccount the reference, at this moment. */
async function expectServed(namespaces: readonly string[], logins: Record<string, Login>): Promise<void> {
  const served = namespaces.map(async (namespace) => [
    namespace,
    await lab.logins(namespace),
    await lab.references(namespace),
  ])
  expect(await Promise.all(served)).toEqual(namespaces.map((namespace) => [namespace, logins, ['regcred']]))
}

/** Waits for the verdict at the present generation; Argo CD says the same of the same object. */
async function reaches(name: string, verdict: Verdict, reason: string): Promise<RegistryCredential> {
  const reached = await eventually(
    async () => {
      const credential = await lab.readCredential(name)
      expect([kstatusOf(credential), reasonOf(credential)]).toEqual([verdict, reason])
      expect(credential.status?.observedGeneration).toBe(credential.metadata.generation)
      return credential
    },
    { describe: `${verdict} of ${name}` },
  )
  expect((await healthOf([reached]))[0]?.status).toBe(healthByVerdict[verdict])
  return reached
}

function reasonOf({ status }: RegistryCredential): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason
}

async function manyNamespaces(name: string): Promise<string[]> {
  return await Promise.all(Array.from({ length: 30 }, (_, index) => lab.namespace(`${name}-${index}`)))
}

async function makeForeign(namespace: string): Promise<void> {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'regcred' } }
  await lab.create(`/api/v1/namespaces/${namespace}/secrets`, secret)
}

test('step by step, from a source that is yet to come to the end', async () => {
  const early = await manyNamespaces('early')
  const more = await manyNamespaces('more')
  const foreign = await lab.namespace('foreign')
  await makeForeign(foreign)
  const name = await lab.credential('steps', {
    source: { secretRef: { name: lab.unique('steps') } },
    namespaces: { include: [lab.unique('early-*')], optIn: true },
  })
  await reaches(name, 'InProgress', 'SourceNotFound')
  expect(await kubectlWait(name, 1)).toBe(false)

  // The source comes, and while the rollout runs so do as many namespaces again.
  const ready = kubectlWait(name, 60)
  await lab.source('steps', auths('first'))
  const late = manyNamespaces('early-late')
  expect(await ready).toBe(true)
  await expectServed(early, auths('first'))
  const all = [...early, ...(await late)]
  await eventually(async () => expect((await lab.readCredential(name)).status?.namespaces?.summary).toBe('60/60'))
  await eventually(() => expectServed(all, auths('first')))
  await reaches(name, 'Current', 'Succeeded')

  // More namespaces by a change of the spec: what was true of the generation before counts no more.
  await lab.patchCredential(name, { namespaces: { include: [lab.unique('early-*'), lab.unique('more-*')] } })
  expect(await kubectlWait(name, 60)).toBe(true)
  await expectServed([...all, ...more], auths('first'))

  // One that fails.
  const include = [lab.unique('early-*'), lab.unique('more-*'), foreign]
  await lab.patchCredential(name, { namespaces: { include } })
  await reaches(name, 'InProgress', 'NamespacesFailed')
  expect(await kubectlWait(name, 1)).toBe(false)
  await lab.client.delete(secretPath(foreign))
  expect(await kubectlWait(name, 60)).toBe(true)
  await expectServed([...all, ...more, foreign], auths('first'))

  await lab.patchCredential(name, { suspend: true })
  await reaches(name, 'Current', 'Suspended')
  await expectServed([...all, ...more, foreign], auths('first'))
  await lab.patchCredential(name, { suspend: false })
  expect(await kubectlWait(name, 60)).toBe(true)

  const source = lab.unique('steps')
  await lab.rotate(source, auths('broken\n'))
  await reaches(name, 'Failed', 'SourceInvalid')
  expect(await kubectlWait(name, 1)).toBe(false)
  await lab.rotate(source, auths('second'))
  expect(await kubectlWait(name, 60)).toBe(true)
  await expectServed([...all, ...more, foreign], auths('second'))

  await lab.cluster.kubectl('delete', 'rcred', name, '--timeout=60s')
  expect(await Promise.all([...all, ...more].map((each) => lab.references(each)))).toEqual(
    [...all, ...more].map(() => []),
  )
})

test('one that is being deleted is on its way, and never ready', async () => {
  const source = await lab.source('leaving', auths('leaving'))
  const namespace = await lab.namespace('leaving')
  const spec = { source: { secretRef: { name: source } }, namespaces: { include: [namespace], optIn: true } }
  const name = await lab.credential('leaving', spec)
  expect(await kubectlWait(name, 60)).toBe(true)
  const path = `/apis/regcred.dev/v1/registrycredentials/${name}`
  const finalizers = ['regcred.dev/references', 'example.com/kept']
  await lab.patch(path, { metadata: { finalizers } })
  await lab.deleteCredential(name)
  await reaches(name, 'Terminating', 'Terminating')
  expect(await kubectlWait(name, 1)).toBe(false)
  await lab.patch(path, { metadata: { finalizers: null } })
})

test('another source is another rollout: the login of before does not count, however long the new one takes', async () => {
  const namespace = await lab.namespace('moved')
  const old = await lab.source('moved-1', auths('old'))
  const name = await lab.credential('moved', {
    source: { secretRef: { name: old } },
    namespaces: { include: [namespace], optIn: true },
  })
  expect(await kubectlWait(name, 60)).toBe(true)
  // A registry that takes its time to say whether it takes the login.
  const held = Promise.withResolvers<void>()
  const registry: IssuerServer = await startIssuer(async () => {
    await held.promise
    return { body: {} }
  })
  try {
    const host = new URL(registry.url).host
    const login = { [host]: { username: 'robot', password: 'new' } }
    const moved = await lab.source('moved-2', login)
    await lab.patchCredential(name, { source: { secretRef: { name: moved } }, verify: { policy: 'Enforce' } })
    await eventually(() => expect(registry.requests.length).toBeGreaterThan(0))
    // All at once: the operator gives up a registry that takes 15 seconds.
    const [, isReady] = await Promise.all([
      reaches(name, 'InProgress', 'Issuing'),
      kubectlWait(name, 1),
      expectServed([namespace], auths('old')),
    ])
    expect(isReady).toBe(false)
    held.resolve()
    expect(await kubectlWait(name, 60)).toBe(true)
    await expectServed([namespace], login)
  } finally {
    held.resolve()
    await registry.stop()
  }
})

test('what was true of the generation before counts no more, also while the operator has not seen the new one', async () => {
  const source = await lab.source('stale', auths('stale'))
  const namespace = await lab.namespace('stale')
  const spec = { source: { secretRef: { name: source } }, namespaces: { include: [namespace], optIn: true } }
  const name = await lab.credential('stale', spec)
  expect(await kubectlWait(name, 60)).toBe(true)
  operator.signal('SIGSTOP')
  try {
    await lab.patchCredential(name, { serviceAccounts: ['*'] })
    const stale = await lab.readCredential(name)
    expect([reasonOf(stale), kstatusOf(stale)]).toEqual(['Succeeded', 'InProgress'])
    expect(await healthOf([stale])).toEqual([{ status: 'Progressing', message: 'Waiting for the operator' }])
    expect(await kubectlWait(name, 1)).toBe(false)
  } finally {
    operator.signal('SIGCONT')
  }
  expect(await kubectlWait(name, 60)).toBe(true)
})

test('of a namespace that comes later the namespace itself tells', async () => {
  const source = await lab.source('later', auths('later'))
  const label = `use.regcred.dev/${lab.unique('later')}`
  const name = await lab.credential('later', { source: { secretRef: { name: source } } })
  expect(await kubectlWait(name, 60)).toBe(true)
  const namespace = await lab.namespace('later', { [label]: 'true' })
  // As docs/how-to/gitops.md says.
  const reference = '--for=jsonpath={.imagePullSecrets[?(@.name=="regcred")].name}=regcred'
  await lab.cluster.kubectl('wait', '--for=create', 'sa/default', '-n', namespace, '--timeout=60s')
  await lab.cluster.kubectl('wait', reference, 'sa/default', '-n', namespace, '--timeout=60s')
  await expectServed([namespace], auths('later'))
})
