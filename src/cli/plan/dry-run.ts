/** What the API server would make of a manifest: its own answer, with defaults, validation and admission; nothing is stored. */
import { fieldManager as operator } from '../../api/names.ts'
import { isNotFound } from '../../kube/api-error.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Manifest } from './documents.ts'
import { threeWayPatch } from './three-way.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

export interface Applied {
  /** Undefined: it is new. */
  before: KubeObject | undefined
  after: KubeObject
}

/**
 * As whoever applies this object applies it: with `kubectl apply`, where that has left its annotation, otherwise on the
 * server, as the field manager that applied it last, or as kubectl.
 * @throws ApiError as kubectl shows it
 */
export async function dryRun(client: KubeClient, path: string, manifest: Manifest): Promise<Applied> {
  const before = await find(client, path)
  const query = { dryRun: 'All', fieldValidation: 'Strict' }
  const last = before?.metadata.annotations?.[lastApplied]
  if (before && last !== undefined) {
    const fieldManager = 'kubectl-client-side-apply'
    const patch = { ...threeWayPatch(parse(last), manifest), status: undefined }
    return { before, after: await client.mergePatch(path, patch, { fieldManager, query }) }
  }
  const options = { fieldManager: managerOf(before), force: true, query }
  return { before, after: await client.apply(path, { ...manifest, status: undefined }, options) }
}

async function find(client: KubeClient, path: string): Promise<KubeObject | undefined> {
  try {
    return await client.get<KubeObject>(path)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function managerOf(object: KubeObject | undefined): string {
  const appliers = object?.metadata.managedFields?.filter(
    ({ operation, subresource, manager }) => operation === 'Apply' && !subresource && manager && manager !== operator,
  )
  return appliers?.at(-1)?.manager ?? 'kubectl'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // then nothing is known of before
  }
}
