/** Reads which images run, with the user's rights: what they may not read is told. No content of a Secret is asked for. */
import { observeCredential, observeNamespace } from '../../controller/observe.ts'
import { credentialsPath } from '../../controller/watches.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Connection } from '../connection.ts'
import type { Pod } from '../explain/subject.ts'
import { listAll, pagesOf, tryRead, whatWasRead } from '../reads.ts'
import { listSecrets, loginsIn } from '../recognize.ts'
import { idleLines, lineRule, readTrustedList } from '../trusted-list.ts'
import { readNamespaces } from '../who/read-population.ts'
import { type Coverage, coverageOf, selectedIn } from './coverage.ts'
import { countPod, type Tally } from './tally.ts'

/** Something that may not be known, and then why: a sentence. */
export type Found<T> = { value: T; note?: string } | { value: undefined; note: string }

/** Pods that have not ended. */
const notEnded = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }

/** @param namespace undefined: all @throws ApiError without the right to list pods; Problem where there is no such namespace */
export async function readTally(client: KubeClient, namespace: string | undefined): Promise<Tally> {
  const tally: Tally = new Map()
  if (namespace !== undefined) await tryRead(readNamespaces(client, namespace))
  for await (const page of pagesOf<Pod>(client, `${base(namespace)}/pods`, { query: notEnded })) {
    for (const pod of page) countPod(tally, pod)
  }
  return tally
}

export async function readCoverage(client: KubeClient, namespace: string | undefined): Promise<Found<Coverage>> {
  const read = await tryRead(listAll(client, credentialsPath))
  const unknown = 'so which credentials cover an image is not known.'
  if (read.state === 'forbidden') return { value: undefined, note: `You may not list RegistryCredentials, ${unknown}` }
  const credentials = (whatWasRead(read) ?? []).map(observeCredential) // without the CRD there are none
  const names = [...new Set(credentials.map(({ secretName }) => secretName))]
  const secrets = await tryRead(listSecrets(client, `${base(namespace)}/secrets`, names))
  if (secrets.state === 'read') return { value: coverageOf(credentials, loginsIn(secrets.value)) }
  const namespaces = whatWasRead(await tryRead(readNamespaces(client, namespace)))
  if (namespaces === undefined) {
    return { value: undefined, note: `You may list neither Secrets nor namespaces, ${unknown}` }
  }
  const note = 'You may not list Secrets, so a login counts as being where its credential selects the namespace.'
  return { value: coverageOf(credentials, selectedIn(namespaces.map(observeNamespace))), note }
}

/** The names of the registries and repositories that images may come from, of both lists. */
export async function readTrustedNames({ client, operatorNamespace }: Connection): Promise<Found<string[]>> {
  const read = await readTrustedList(client, operatorNamespace, 'trusted-registries')
  const what = `ConfigMap trusted-registries in namespace ${operatorNamespace}`
  if (read.state === 'read') {
    const idle = idleLines(read.value)
    return { value: read.value, ...(idle !== undefined && { note: `The ${what} ${idle}. ${lineRule}` }) }
  }
  const why =
    read.state === 'missing' ? `There is no ${what} (--operator-namespace names another)` : `You may not read ${what}`
  return { value: undefined, note: `${why}, so whether an image is trusted is not known.` }
}

function base(namespace: string | undefined): string {
  return namespace === undefined ? '/api/v1' : `/api/v1/namespaces/${namespace}`
}
