/** Namespaces and ServiceAccounts of the documents, which decide who gets a Secret. */
import { observeNamespace, observeServiceAccount } from '../../controller/observe.ts'
import { serviceAccountPath } from '../../controller/service-account-writer.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { ObservedServiceAccount } from '../../model/observed.ts'
import type { Connection } from '../connection.ts'
import { Problem } from '../problem.ts'
import type { Documents, Manifest } from './documents.ts'
import { dryRun } from './dry-run.ts'
import type { World } from './simulate.ts'

/** Those that are there, with those of the documents. @throws ApiError; Problem where a namespace is missing */
export async function othersAfter(
  { client }: Connection,
  documents: Documents,
  { namespaces, serviceAccounts }: World,
): Promise<Pick<World, 'namespaces' | 'serviceAccounts'>> {
  const after = new Map(namespaces.map((each) => [each.name, each]))
  const accounts = new Map([...serviceAccounts].map(([name, list]) => [name, new Map(list.map((a) => [a.name, a]))]))
  const put = (account: ObservedServiceAccount) => {
    const list = accounts.get(account.namespace) ?? new Map<string, ObservedServiceAccount>()
    accounts.set(account.namespace, list.set(account.name, account))
  }
  for (const manifest of documents.namespaces) {
    const { before, after: answer } = await dryRun(client, `/api/v1/namespaces/${manifest.metadata.name}`, manifest)
    const namespace = observeNamespace(answer)
    after.set(namespace.name, namespace)
    if (before === undefined) put(observeServiceAccount(newObject('default', namespace.name)))
  }
  for (const manifest of documents.serviceAccounts) {
    const { name, namespace = 'default' } = manifest.metadata
    const isNew = !namespaces.some((each) => each.name === namespace)
    if (isNew && !after.has(namespace)) throw new Problem(`ServiceAccount ${name}: namespaces "${namespace}" not found`)
    // Nothing can be tried in a namespace that is not there yet.
    put(
      observeServiceAccount(
        isNew
          ? asNew(manifest, namespace)
          : (await dryRun(client, serviceAccountPath(namespace, name), manifest)).after,
      ),
    )
  }
  return {
    namespaces: [...after.values()],
    serviceAccounts: new Map([...accounts].map(([name, list]) => [name, [...list.values()]])),
  }
}

function newObject(name: string, namespace: string): KubeObject {
  return { metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: new Date().toISOString() } }
}

function asNew(manifest: Manifest, namespace: string): KubeObject {
  return { ...manifest, metadata: { ...manifest.metadata, ...newObject(manifest.metadata.name, namespace).metadata } }
}
