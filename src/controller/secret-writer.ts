/**
 * Writes target Secrets. All that exist are written with a resourceVersion, so that what a stale cache takes for ours
 * is never overwritten: the API server answers 409 and the namespace is looked at again.
 */
import {
  adoptAnnotation,
  dockerConfigJsonKey,
  fieldManager,
  managedByLabel,
  managedByValue,
  markAnnotation,
} from '../api/names.ts'
import { isFixed, isNotFound } from '../kube/api-error.ts'
import type { Cache } from '../kube/cache.ts'
import type { KubeClient } from '../kube/client.ts'
import { type KubeObject, metadataOnly } from '../kube/objects.ts'
import type { ObservedSecret, RecognizedSecret } from '../model/observed.ts'
import { ownersOf, type Wanted } from '../model/secret-change.ts'

/** Never the user's choice: no token of a ServiceAccount is made by it. */
const type = 'kubernetes.io/dockerconfigjson'

export interface Content extends Wanted {
  /** `.dockerconfigjson` in base64. */
  data: string
}

export class SecretWriter {
  readonly #client: KubeClient
  readonly #caches: ReadonlyMap<string, Cache<ObservedSecret>>

  constructor(client: KubeClient, caches: ReadonlyMap<string, Cache<ObservedSecret>>) {
    this.#client = client
    this.#caches = caches
  }

  /**
   * By server-side apply, since RBAC can limit an apply to a name but not a POST. A Secret that somebody else has just
   * created answers 409, be it with the same data: no object has the version 1, and where there is none it is not compared.
   */
  async create(namespace: string, name: string, content: Content): Promise<void> {
    await this.#apply(namespace, name, body(content, undefined), { force: false, resourceVersion: '1' })
  }

  /** In place: the uid stays, which the kubelet's record of pulled images hangs on. */
  async update(namespace: string, observed: RecognizedSecret, content: Content): Promise<void> {
    const { name, resourceVersion } = observed
    const { metadata, data } = body(content, observed)
    await this.#unlessFixed(namespace, observed, content, async () => {
      const written = await this.#client.mergePatch<KubeObject>(
        secretPath(namespace, name),
        { metadata: { ...metadata, resourceVersion }, type, data }, // 422 where it was restored under another type
        { fieldManager, accept: metadataOnly },
      )
      this.#caches.get(name)?.writeThrough(written)
    })
  }

  /** As `update`, but the data become ours in managedFields, where a patch to an equal value would not change hands. */
  async take(namespace: string, observed: RecognizedSecret, content: Content): Promise<void> {
    const { name, resourceVersion } = observed
    await this.#unlessFixed(namespace, observed, content, () =>
      this.#apply(namespace, name, body(content, observed), { force: true, resourceVersion }),
    )
  }

  async delete(namespace: string, { name, uid, resourceVersion }: ObservedSecret): Promise<void> {
    const cache = this.#caches.get(name)
    try {
      const preconditions = { uid, resourceVersion }
      const answer = await this.#client.delete<KubeObject>(secretPath(namespace, name), { preconditions })
      if (answer.kind !== 'Status') return cache?.writeThrough(answer) // a finalizer of somebody else keeps it
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    cache?.writeThroughDelete(namespace, name, uid)
  }

  /** Takes our marks off and leaves the Secret to whoever uses it. */
  async release(namespace: string, observed: ObservedSecret): Promise<void> {
    const metadata = {
      resourceVersion: observed.resourceVersion,
      labels: { [managedByLabel]: null },
      annotations: { [markAnnotation]: null, [adoptAnnotation]: null }, // foreign from now on, also to those to come
      ownerReferences: observed.foreignOwners,
    }
    const path = secretPath(namespace, observed.name)
    const written = await this.#client.mergePatch<KubeObject>(
      path,
      { metadata },
      { fieldManager, accept: metadataOnly },
    )
    this.#caches.get(observed.name)?.writeThrough(written)
  }

  /**
   * A Secret of ours that somebody has made immutable, restored under another type or filled up can only be made anew: the
   * one case in which it is deleted to be written.
   */
  async #unlessFixed(
    namespace: string,
    observed: RecognizedSecret,
    content: Content,
    write: () => Promise<void>,
  ): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!observed.ours || !isFixed(error)) throw error
      await this.delete(namespace, observed)
      await this.create(namespace, observed.name, content)
    }
  }

  async #apply(
    namespace: string,
    name: string,
    { metadata, data }: ReturnType<typeof body>,
    { force, resourceVersion }: { force: boolean; resourceVersion: string },
  ): Promise<void> {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, name, namespace, resourceVersion },
      type,
      data,
    }
    const options = { fieldManager, force, accept: metadataOnly }
    const written = await this.#client.apply<KubeObject>(secretPath(namespace, name), secret, options)
    this.#caches.get(name)?.writeThrough(written)
  }
}

export function secretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`
}

function body({ madeOf, mark, data }: Content, observed: ObservedSecret | undefined) {
  return {
    metadata: {
      labels: { [managedByLabel]: managedByValue },
      annotations: { [markAnnotation]: mark },
      ownerReferences: ownersOf(madeOf, observed),
    },
    data: { [dockerConfigJsonKey]: data },
  }
}
