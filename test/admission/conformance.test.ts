/**
 * The selection exists twice, in src/model/selection.ts and as CEL in config/admission. Here both are asked about the same
 * random objects, and must agree: the CEL by dry runs on a real API server, in a variant of the policies with a Secret name
 * for each credential, so that the list in one answer tells of all credentials at once.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { managedAnnotation } from '../../src/api/names.ts'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { observeNamespace, observeServiceAccount } from '../../src/controller/observe.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import { interpret } from '../../src/model/credential.ts'
import type { ObservedServiceAccount } from '../../src/model/observed.ts'
import { type Namespace, selectsNamespace, selectsServiceAccount } from '../../src/model/selection.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { testWithMutatingPolicies as test } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type ServiceAccount, serviceAccountPath, unverified } from '../controller/lab.ts'
import { inParallel } from '../support/in-parallel.ts'
import { applyPolicies, dryRun, namesOf, type Pod, pod, podsPath } from './policies.ts'
import { type GeneratedNamespace, type GeneratedServiceAccount, populationOf } from './population.ts'

const seed = Number(process.env.SEED ?? 20260)
const { credentials: generated, namespaces } = populationOf(seed, { credentials: 60, namespaces: 35 })
/** How many of each namespace's ServiceAccounts are stored, `default` among them: those that pods can name. */
const stored = 4
/** The installation does not have the Secret name of every eighth credential. */
const allowed = generated.map((_, index) => secretNameOf(index)).filter((_, index) => index % 8 !== 7)

let cluster: OwnedCluster
let lab: Lab
let credentials: RegistryCredential[]
const observedNamespaces = new Map<string, Namespace>()

/** One dry run, which tells of all credentials. */
interface Question {
  namespace: Namespace
  serviceAccount: string
  /** Secret names. */
  ask(): Promise<{ given: string[]; expected: string[] }>
}

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  lab = new Lab(cluster)
  await Promise.all(namespaces.map(makeNamespace))
  await applyPolicies(cluster, { allowed, failurePolicy: 'Fail' })
  await cluster.controllerManager.stop() // it would finish the deletion of what has to stay in deletion
  for (const { name, terminating } of namespaces) if (terminating) await lab.client.delete(`/api/v1/namespaces/${name}`)
  await makeCredentials()
  for (const each of await list('/api/v1/namespaces'))
    observedNamespaces.set(each.metadata.name, observeNamespace(each))
  credentials = (await list(credentialsPath)) as RegistryCredential[]
})

afterAll(async () => {
  await lab?.client.close()
  await cluster?.stop()
})

async function list(path: string): Promise<KubeObject[]> {
  return (await lab.client.get<KubeList>(path)).items ?? []
}

function secretNameOf(index: number): string {
  return `secret-${index}`
}

async function makeNamespace({ name, labels, serviceAccounts }: GeneratedNamespace): Promise<void> {
  await lab.client.apply(
    `/api/v1/namespaces/${name}`,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
    { fieldManager: 'test' },
  )
  await eventually(async () => expect(await lab.serviceAccount(name)).not.toBeNull())
  for (const each of serviceAccounts.slice(0, stored)) {
    if (each.name === 'default') await lab.patch(serviceAccountPath(name), manifestOf(each))
    else await lab.client.create(serviceAccountsPath(name), manifestOf(each), { fieldManager: 'test' })
  }
}

async function makeCredentials(): Promise<void> {
  for (const [index, { name, spec, deleting }] of generated.entries()) {
    const metadata = { name, finalizers: deleting ? ['example.com/kept'] : [] }
    const given = { ...unverified, source: { secretRef: { name: 'none' } }, secretName: secretNameOf(index), ...spec }
    const credential = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata, spec: given }
    await lab.client.create(credentialsPath, credential, { fieldManager: 'test' })
    if (deleting) await lab.deleteCredential(name)
  }
}

function manifestOf({ name, annotations }: GeneratedServiceAccount) {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, annotations } }
}

/** What the model says. */
function expectedFor(
  namespace: Namespace,
  serviceAccount: Pick<ObservedServiceAccount, 'name' | 'optedOut'>,
  concerned: (credential: RegistryCredential) => boolean = () => true,
): string[] {
  return credentials
    .filter(concerned)
    .map(interpret)
    .filter(
      (each) =>
        !(each.deleting || each.suspended) &&
        selectsNamespace(each, namespace) &&
        selectsServiceAccount(each, serviceAccount),
    )
    .map(({ secretName }) => secretName)
    .filter((name) => allowed.includes(name))
    .sort()
}

function observed(name: string): Namespace {
  const namespace = observedNamespaces.get(name)
  if (!namespace) throw new Error(`no namespace ${name}`)
  return namespace
}

/** Creates what is not there, and changes what is; in a namespace in deletion nothing can be created. */
function serviceAccountQuestions({ name, terminating, serviceAccounts }: GeneratedNamespace): Question[] {
  const namespace = observed(name)
  return serviceAccounts.slice(0, terminating ? stored : undefined).map((each, index) => ({
    namespace,
    serviceAccount: each.name,
    ask: async () => {
      const answer =
        index < stored
          ? await lab.client.mergePatch<ServiceAccount>(serviceAccountPath(name, each.name), manifestOf(each), dryRun)
          : await lab.client.create<ServiceAccount>(serviceAccountsPath(name), manifestOf(each), dryRun)
      const given = namesOf(answer.imagePullSecrets)
      expect(answer.metadata.annotations?.[managedAnnotation] ?? '').toBe(given.join(','))
      return { given, expected: expectedFor(namespace, observeServiceAccount(answer)) }
    },
  }))
}

function podQuestions({ name, terminating, serviceAccounts }: GeneratedNamespace): Question[] {
  const namespace = observed(name)
  return serviceAccounts.slice(0, terminating ? 0 : stored).map((each) => ({
    namespace,
    serviceAccount: each.name,
    ask: async () => {
      const { spec } = await lab.client.create<Pod>(podsPath(name), pod('asked', ['own'], each.name), dryRun)
      const [first, ...given] = namesOf(spec.imagePullSecrets)
      expect(first).toBe('own')
      const asks = (credential: RegistryCredential) => credential.spec.pods === 'AddToOwnList'
      return { given: given.sort(), expected: expectedFor(namespace, { name: each.name, optedOut: false }, asks) }
    },
  }))
}

function serviceAccountsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts`
}

/**
 * Asks each question until both sides agree, since the API server sees a change of a namespace some 100 ms later.
 * @returns how many pairs of a credential and an object were compared, and how many of them are selected
 */
async function compare(questions: Question[]): Promise<{ pairs: number; selected: number }> {
  let selected = 0
  let open = questions
  const askAll = async () => {
    const wrong: Question[] = []
    const differences: string[] = []
    await inParallel(open, 8, async (question) => {
      const { given, expected } = await question.ask()
      if (isDeepStrictEqual(given, expected)) {
        selected += expected.length
        return
      }
      wrong.push(question)
      const differing = generated.find((_, index) => {
        const name = secretNameOf(index)
        return given.includes(name) !== expected.includes(name)
      })
      differences.push(JSON.stringify({ differing, ...question, given, expected }))
    })
    open = wrong
    if (wrong.length > 0) throw new Error(`${wrong.length} answers differ, such as ${differences[0]}`)
  }
  await eventually(askAll, { timeoutMs: 200_000, describe: `agreement with SEED=${seed}` })
  return { pairs: questions.length * generated.length, selected }
}

test('the policy for ServiceAccounts selects what the model selects', async () => {
  const { pairs, selected } = await compare(namespaces.flatMap(serviceAccountQuestions))
  console.log(`${selected} of ${pairs} pairs of a credential and a ServiceAccount are selected`)
  expect(pairs).toBeGreaterThan(10_000)
  expect(selected).toBeGreaterThan(pairs / 20)
})

test('the policy for pods selects what the model selects', async () => {
  const { pairs, selected } = await compare(namespaces.flatMap(podQuestions))
  console.log(`${selected} of ${pairs} pairs of a credential and a pod are selected`)
  expect(pairs).toBeGreaterThan(2_000)
  expect(selected).toBeGreaterThan(pairs / 20)
})

test('the largest credential that the CRD admits is within the cost budget of both policies', async () => {
  const name = lab.unique('n'.repeat(56))
  const lists = (maxLength: number) =>
    Array.from({ length: 63 }, (_, index) => `${'*n?'.repeat(maxLength / 3 - 1)}${index}`.slice(0, maxLength))
  const values = Array.from({ length: 32 }, (_, index) => `${'v'.repeat(60)}${index}`)
  const keys = Array.from({ length: 16 }, (_, index) => `${'k'.repeat(60)}${index}`)
  const matchExpressions = keys.map((key) => ({ key, operator: 'NotIn' as const, values }))
  const labels = Object.fromEntries(keys.map((key) => [key, 'v'.repeat(63)]))
  await lab.credential('largest', {
    source: { secretRef: { name: 'none' } },
    secretName: allowed[0] ?? '',
    namespaces: {
      include: [...lists(63), '*'],
      exclude: lists(63),
      selector: { matchLabels: labels, matchExpressions },
      optIn: true,
    },
    serviceAccounts: [...lists(253), '*'],
    pods: 'AddToOwnList',
  })
  const namespace = await lab.newbornNamespace('n'.repeat(56), labels)
  expect(namespace).toBe(name)
  const serviceAccount = manifestOf({ name: 'n'.repeat(253), annotations: {} })
  await eventually(async () => {
    const answer = await lab.client.create<ServiceAccount>(serviceAccountsPath(namespace), serviceAccount, dryRun)
    expect(namesOf(answer.imagePullSecrets)).toContain(allowed[0])
  })
  await lab.client.create(serviceAccountsPath(namespace), serviceAccount, { fieldManager: 'test' })
  const { spec } = await lab.client.create<Pod>(podsPath(namespace), pod('asked', ['own'], 'n'.repeat(253)), dryRun)
  expect(namesOf(spec.imagePullSecrets)).toContain(allowed[0])
})
