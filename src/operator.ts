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
import type { Status } from './model/status.ts'

const { default: Operator, ResourceEventType } = k8sOperator

/** What the operator does between start and stop, with what only this class can do for it. */
export type Run = (operator: RegistryCredentialOperator, signal: AbortSignal) => Promise<void>

export class RegistryCredentialOperator extends Operator {
  readonly #client: KubeClient
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

  async writeStatus(credential: ObservedCredential, status: Status): Promise<void> {
    await this.setResourceStatus(metaOf(credential), status)
  }

  protected override async setResourceFinalizers({ name, resourceVersion }: ResourceMeta, finalizers: string[]) {
    const metadata = { resourceVersion, finalizers }
    await this.#client.mergePatch(`${credentialsPath}/${name}`, { metadata }, { fieldManager })
  }

  protected override async setResourceStatus({ id, name }: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const object = { apiVersion: groupVersion, kind: credentialKind, metadata: { name, uid: id }, status }
    const written = await this.#client.apply<KubeObject>(`${credentialsPath}/${name}/status`, object, {
      fieldManager,
      force: true,
    })
    // Told like an event: the answer may hold a specification that the watch has yet to bring, which then will be silent.
    this.#caches.credentials.observe('MODIFIED', written)
    return metaOf({ name, uid: id, resourceVersion: written.metadata.resourceVersion })
  }
}

function metaOf({ name, uid, resourceVersion }: { name: string; uid: string; resourceVersion: string }): ResourceMeta {
  return { id: uid, name, resourceVersion, apiVersion: groupVersion, kind: credentialKind }
}
