/** Writes several objects so that either all are written or, as far as the API server can say before, none. */
import { secretPath } from '../controller/secret-writer.ts'
import { ApiError, isConflict, isFixed } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { cliManager } from './connection.ts'
import { pathOf } from './credentials.ts'
import type { Manifest } from './manifests.ts'
import { tell } from './output.ts'
import { Problem } from './problem.ts'
import { find } from './reads.ts'

export interface Applied {
  object: KubeObject
  /** It was not there before. */
  isNew: boolean
}

export interface ApplySettings {
  /** Ask only whether it would be taken. */
  dryRun: boolean
  /** Take over what others have set. */
  overwrite: boolean
}

/** In this order. @throws ApiError, Problem: then nothing was written, unless the cluster changed in between */
export async function applyAll(
  client: KubeClient,
  manifests: readonly Manifest[],
  { dryRun, overwrite }: ApplySettings,
): Promise<Applied[]> {
  if (!overwrite) await refuseCredentials(client, manifests)
  const trials: Applied[] = []
  for (const manifest of manifests) {
    const object = await applyOne(client, manifest, overwrite, true)
    // The answer to a trial has a version where it is an object that is there.
    trials.push({ object, isNew: !object.metadata.resourceVersion })
  }
  if (dryRun) return trials
  const applied: Applied[] = []
  for (const [index, manifest] of manifests.entries()) {
    try {
      const object = await applyOne(client, manifest, overwrite, false)
      applied.push({ object, isNew: trials[index]?.isNew ?? true })
    } catch (error) {
      const done = manifests.slice(0, index).map(nameOf).join(', ')
      if (done !== '') tell(`${done} has been written, ${nameOf(manifest)} has not; the same command again goes on`)
      throw error
    }
  }
  return applied
}

/** One that is there may be somebody else's, and fields that are left out now would be lost. */
async function refuseCredentials(client: KubeClient, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests.filter(({ kind }) => kind !== 'Secret')) {
    if ((await find(client, pathFor(manifest))) === undefined) continue
    throw new Problem(`RegistryCredential ${manifest.metadata.name} is there already; --overwrite replaces it`)
  }
}

async function applyOne(
  client: KubeClient,
  manifest: Manifest,
  overwrite: boolean,
  dryRun: boolean,
): Promise<KubeObject> {
  const query = { fieldValidation: 'Strict', ...(dryRun && { dryRun: 'All' }) }
  try {
    const options = { fieldManager: cliManager, force: overwrite, query }
    return await client.apply<KubeObject>(pathFor(manifest), manifest, options)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { name, namespace } = manifest.metadata
    const what = nameOf(manifest)
    if (manifest.kind === 'Secret' && isFixed(error)) {
      throw new Problem(`${what} is there already, immutable or of another type; delete it, or choose another name`)
    }
    if (!isConflict(error)) throw error
    const cures = manifest.kind === 'Secret' ? `, --from-secret ${namespace}/${name} uses it as it is` : ''
    throw new Problem(`${what} is there already, and not made here (${error.message}); --overwrite replaces it${cures}`)
  }
}

function nameOf({ kind, metadata: { name, namespace } }: Manifest): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}

function pathFor({ kind, metadata: { name, namespace = '' } }: Manifest): string {
  return kind === 'Secret' ? secretPath(namespace, name) : pathOf(name)
}
