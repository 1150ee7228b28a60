/** Reads the cluster, and works out what the documents would change in it. */
import { group, plural } from '../../api/names.ts'
import {
  type ObservedCredential,
  observeCredential,
  observeNamespace,
  observeServiceAccount,
} from '../../controller/observe.ts'
import { credentialsPath } from '../../controller/watches.ts'
import type { ObservedServiceAccount } from '../../model/observed.ts'
import type { Connection } from '../connection.ts'
import { pathOf } from '../credentials.ts'
import { contentInUse, knownState } from '../known-state.ts'
import { Problem } from '../problem.ts'
import { listAll, tryRead, whatWasRead } from '../reads.ts'
import { listSecrets, recognize } from '../recognize.ts'
import { allowedNames, readDeployment } from '../secret-names.ts'
import { assumedSecrets } from './assumed.ts'
import { contentAfter } from './contents.ts'
import { type Diff, diffOf } from './diff.ts'
import type { Documents } from './documents.ts'
import { dryRun } from './dry-run.ts'
import { othersAfter } from './others-after.ts'
import { secretKey, type World } from './simulate.ts'
import { readSource, secretsAfter } from './source.ts'

export interface Plan extends Diff {
  credentials: { name: string; action: 'create' | 'configure' | 'unchanged' | 'delete' }[]
  /** What cannot be told, or is to be known; sentences. */
  notes: string[]
}

type Changed = { before: ObservedCredential | undefined; after: ObservedCredential }

/** @throws ApiError where the API server refuses a document, or the user lacks a right that nothing can do without */
export async function readPlan(
  connection: Connection,
  documents: Documents,
  deletions: readonly string[],
): Promise<Plan> {
  const { client, operatorNamespace } = connection
  const [objects, deployment, namespaceObjects, serviceAccountObjects] = await Promise.all([
    listAll(client, credentialsPath),
    readDeployment(connection),
    listAll(client, '/api/v1/namespaces', { metadata: true }),
    tryRead(listAll(client, '/api/v1/serviceaccounts')),
  ])
  const notes: string[] = []
  const credentials = objects.map(observeCredential)
  const changed = await changesOf(connection, documents, deletions, credentials)
  const secretNames = allowedNames(whatWasRead(deployment), credentials)
  if (serviceAccountObjects.state !== 'read') {
    notes.push('You may not list ServiceAccounts, so references to the Secrets are not in this plan.')
  }

  const namespaces = namespaceObjects.map(observeNamespace)
  const serviceAccounts = byNamespace((whatWasRead(serviceAccountObjects) ?? []).map(observeServiceAccount))
  const isAllowed = (name: string) => secretNames.includes(name)
  const states = credentials.map((each) => knownState(each, contentInUse(each), isAllowed))
  const settled = { states, namespaces, serviceAccounts, secretNames, operatorNamespace }
  const secrets = await tryRead(readSecrets(connection, secretNames))
  if (secrets.state !== 'read') {
    notes.push('You may not list Secrets, so those that the status speaks of are taken to be there, and no others.')
  }
  const before: World = { ...settled, secrets: whatWasRead(secrets) ?? assumedSecrets(settled, credentials) }

  const sources = await secretsAfter(connection, documents.secrets)
  const statesAfter = new Map(states.map((state) => [state.credential.name, state]))
  for (const { before: was, after } of changed.values()) {
    const source = await readSource(connection, sources, was, after)
    const known = was && { credential: was, content: contentInUse(was) }
    const { note, ...content } = contentAfter(known, after, source)
    if (note !== undefined) notes.push(`${after.name}: ${note}.`)
    if (!isAllowed(after.secretName)) {
      notes.push(
        `${after.name}: spec.secretName ${after.secretName} is not among the names this installation may write (${secretNames.join(', ')}), so nothing changes for it.`,
      )
    } else if (after.suspended && !after.deleting) {
      notes.push(`${after.name}: spec.suspend is true, so nothing changes for it.`)
    }
    statesAfter.set(after.name, knownState(after, content, isAllowed))
  }
  const targets = [...sources].filter(([name]) => secretNames.includes(name))
  const created = targets.map(([name, { object }]) => [secretKey(operatorNamespace, name), recognize(object)] as const)
  const after: World = {
    ...before,
    states: [...statesAfter.values()],
    secrets: new Map([...created, ...before.secrets]),
    ...(await othersAfter(connection, documents, before)),
  }
  const elsewhere = documents.secrets.filter(({ metadata }) => metadata.namespace !== operatorNamespace)
  const ignored = [...documents.ignored, ...elsewhere.map(({ metadata }) => `Secret/${metadata.name}`)]
  if (ignored.length > 0) notes.push(`Not looked at: ${ignored.join(', ')}.`)
  return { ...diffOf(before, after), credentials: [...changed.values()].map(describe), notes }
}

/** Those that the documents are about; and those whose source Secret is among them. */
async function changesOf(
  { client, operatorNamespace }: Connection,
  documents: Documents,
  deletions: readonly string[],
  credentials: readonly ObservedCredential[],
): Promise<Map<string, Changed>> {
  const changed = new Map<string, Changed>()
  const sources = documents.secrets.filter(({ metadata }) => metadata.namespace === operatorNamespace)
  for (const credential of credentials) {
    const source = credential.source.secretRef?.name
    if (sources.some(({ metadata }) => metadata.name === source)) {
      changed.set(credential.name, { before: credential, after: credential })
    }
  }
  for (const manifest of documents.credentials) {
    const { name } = manifest.metadata
    const { before, after } = await dryRun(client, pathOf(name), manifest)
    changed.set(name, { before: before && observeCredential(before), after: observeCredential(after) })
  }
  for (const name of deletions) {
    const before = credentials.find((each) => each.name === name)
    if (before === undefined) throw new Problem(`${plural}.${group} "${name}" not found`)
    changed.set(name, { before, after: { ...before, deleting: true } })
  }
  return changed
}

async function readSecrets({ client }: Connection, names: readonly string[]): Promise<World['secrets']> {
  const path = '/api/v1/secrets'
  const secrets = await listSecrets(client, path, names)
  // One of another type cannot be taken over, and the type is not in the metadata.
  const handedOver = secrets.filter(({ adoptable, ours }) => adoptable && !ours).map(({ name }) => name)
  const ofType = await listSecrets(client, path, [...new Set(handedOver)], 'kubernetes.io/dockerconfigjson')
  const takeable = new Set(ofType.map(({ uid }) => uid))
  return new Map(
    secrets.map((each) => [
      secretKey(each.namespace, each.name),
      each.ours || takeable.has(each.uid) ? each : { ...each, adoptable: false },
    ]),
  )
}

function byNamespace(accounts: readonly ObservedServiceAccount[]): Map<string, ObservedServiceAccount[]> {
  return Map.groupBy(accounts, ({ namespace }) => namespace)
}

function describe({ before, after }: Changed): Plan['credentials'][number] {
  const { name } = after
  if (after.deleting) return { name, action: 'delete' }
  if (before === undefined) return { name, action: 'create' }
  return { name, action: before.generation === after.generation ? 'unchanged' : 'configure' }
}
