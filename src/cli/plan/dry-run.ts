/** What the API server would make of a manifest: its own answer, with defaults, validation and admission; nothing is stored. */
import { fieldManager as operator } from '../../api/names.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { find } from '../reads.ts'
import type { Manifest } from './documents.ts'
import { threeWayPatch } from './three-way.ts'

const kubectl = 'kubectl'
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

export interface Applied {
  /** Undefined: it is new. */
  before: KubeObject | undefined
  after: KubeObject
}

/**
 * As whoever applies this object applies it: on the server, as the field manager that did so last, or as kubectl where it is
 * new; otherwise as `kubectl apply` does on the client, which remembers the file in an annotation.
 * @throws ApiError as kubectl shows it, conflicts too
 */
export async function dryRun(client: KubeClient, path: string, manifest: Manifest): Promise<Applied> {
  const before = await find(client, path)
  const query = { dryRun: 'All', fieldValidation: 'Strict' }
  const applier = before ? applierOf(before) : kubectl
  if (before && applier === undefined) {
    const last = parse(before.metadata.annotations?.[lastApplied] ?? '')
    const patch = { ...threeWayPatch(last, manifest), status: undefined }
    return { before, after: await client.mergePatch(path, patch, { fieldManager: 'kubectl-client-side-apply', query }) }
  }
  // Argo CD and Flux take over what is others'; kubectl has to be told to.
  const options = { fieldManager: applier ?? kubectl, force: applier !== kubectl, query }
  return { before, after: await client.apply(path, { ...manifest, status: undefined }, options) }
}

function applierOf({ metadata: { managedFields = [] } }: KubeObject): string | undefined {
  const applied = managedFields.filter(({ operation, subresource }) => operation === 'Apply' && !subresource)
  return applied.findLast(({ manager }) => manager !== operator)?.manager
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // then nothing is known of before
  }
}
