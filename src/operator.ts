/**
 * The one file that knows @dot-i/k8s-operator. What is used of it: the life cycle (start, init, stop) and the finalizer
 * dance. Its watches are not: they end the process when nothing happens for 30 seconds. Its writes are replaced: they
 * swallow errors and overwrite the finalizers of others.
 */
import k8sOperator, { type ResourceMeta } from '@dot-i/k8s-operator'
import type { KubeConfig } from '@kubernetes/client-node'
import { credentialKind, fieldManager, finalizer, groupVersion } from './api/names.ts'
import type { Caches } from './controller/caches.ts'
import type { ObservedCredential } from './controller/observe.ts'
import { credentialsPath } from './controller/watches.ts'
import type { KubeClient } from './kube/client.ts'
import type { KubeObject } from './kube/objects.ts'
import { mergePatchOf } from './model/merge-patch.ts'
import type { Status } from './model/status.ts'

const { default: Operator, ResourceEventType } = k8sOperator

/** What the operator does between start and stop, with what only this class can do for it. */
export type Run = (operator: RegistryCredentialOperator, signal: AbortSignal) => Promise<void>

export class RegistryCredentialOperator extends Operator {
  #client: KubeClient
  readonly #caches: Caches
  readonly #run: Run
  readonly #stopping = new AbortController()

  /** @param kubeConfig must also be what `KUBECONFIG` says, which the base class reads */
  constructor(kubeConfig: KubeConfig, client: KubeClient, caches: Caches, run: Run) {
    super()
    this.kubeConfig = kubeConfig
    this.#client = client
    this.#caches = caches
    this.#run = run
  }

  protected override async init(): Promise<void> {
    await this.#run(this, this.#stopping.signal)
  }

  override stop(): void {
    this.#stopping.abort()
  }

  /** From now on its writes go through this client: that of a term of leadership, within which they begin and end. */
  writeThrough(client: KubeClient): void {
    this.#client = client
  }

  /** Puts our finalizer on a living credential, takes it off one that is being deleted. True when it was changed. */
  finalize(credential: ObservedCredential): Promise<boolean> {
    const { name, finalizers, deletionTimestamp } = credential
    const metadata = {
      name,
      finalizers: [...finalizers],
      ...(deletionTimestamp && { deletionTimestamp: new Date(deletionTimestamp) }),
    }
    const event = { meta: metaOf(credential), type: ResourceEventType.Modified, object: { metadata } }
    return this.handleResourceFinalizer(event, finalizer, async () => {})
  }

  /**
   * Makes the status this one and nothing else, whoever wrote fields of it.
   * @throws ApiError 409 when the credential is no longer as it was seen, 404 when it is gone: nothing is written
   */
  async writeStatus(credential: ObservedCredential, status: Status): Promise<void> {
    await this.patchResourceStatus(metaOf(credential), mergePatchOf(credential.status ?? {}, status))
  }

  protected override async setResourceFinalizers({ name, resourceVersion }: ResourceMeta, finalizers: string[]) {
    const metadata = { resourceVersion, finalizers }
    await this.#client.mergePatch(`${credentialsPath}/${name}`, { metadata }, { fieldManager })
  }

  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const { name, resourceVersion } = meta
    // This keeps it from another object of the same name as well. A uid would not: writes of a status pass over it.
    const patch = { metadata: { resourceVersion }, status }
    const path = `${credentialsPath}/${name}/status`
    const written = await this.#client.mergePatch<KubeObject>(path, patch, { fieldManager })
    this.#caches.credentials.writeThrough(written)
    return { ...meta, resourceVersion: written.metadata.resourceVersion }
  }
}

function metaOf({ name, uid, resourceVersion }: { name: string; uid: string; resourceVersion: string }): ResourceMeta {
  return { id: uid, name, resourceVersion, apiVersion: groupVersion, kind: credentialKind }
}
