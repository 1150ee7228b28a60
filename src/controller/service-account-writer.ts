/**
 * Writes the references on ServiceAccounts. The list is atomic and others write it too, so it is always sent whole
 * together with the resourceVersion it was made from; on 409 it is read and made again. Nobody's entry is lost.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { fieldManager, managedAnnotation } from '../api/names.ts'
import { isConflict, isNotFound } from '../kube/api-error.ts'
import type { Cache } from '../kube/cache.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { type Link, type LinkChange, linkChange } from '../model/link-change.ts'
import type { ObservedServiceAccount } from '../model/observed.ts'
import { observeServiceAccount } from './observe.ts'

/** Then the namespace backs off: somebody writes faster than we can read. */
const maxAttempts = 12

export class ServiceAccountWriter {
  readonly #client: KubeClient
  readonly #cache: Cache<ObservedServiceAccount>

  constructor(client: KubeClient, cache: Cache<ObservedServiceAccount>) {
    this.#client = client
    this.#cache = cache
  }

  /**
   * Makes the references of one ServiceAccount right; no write when they are.
   * @param linksOf what is to become of each reference, asked again for every new state of the ServiceAccount
   * @throws ApiError
   */
  async write(
    namespace: string,
    serviceAccount: ObservedServiceAccount,
    linksOf: (serviceAccount: ObservedServiceAccount) => ReadonlyMap<string, Link>,
  ): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount.name}`
    try {
      let current = serviceAccount
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const change = current.deleting || current.tooMany ? undefined : linkChange(current, linksOf(current))
        if (change === undefined || (await this.#patch(path, change, current.resourceVersion, attempt))) return
        const live = await this.#client.get<KubeObject>(path)
        this.#cache.writeThrough(live)
        current = observeServiceAccount(live)
      }
    } catch (error) {
      if (!isNotFound(error)) throw error // deleted meanwhile; the watch brings the news
    }
  }

  /** False after a conflict, which the last attempt throws. */
  async #patch(path: string, change: LinkChange, resourceVersion: string, attempt: number): Promise<boolean> {
    try {
      const patch = patchOf(change, resourceVersion)
      this.#cache.writeThrough(await this.#client.mergePatch<KubeObject>(path, patch, { fieldManager }))
      return true
    } catch (error) {
      if (!isConflict(error) || attempt === maxAttempts) throw error
      await delay(Math.random() * 10 * attempt)
      return false
    }
  }
}

function patchOf({ pullSecrets, managed }: LinkChange, resourceVersion: string) {
  return {
    metadata: { resourceVersion, annotations: { [managedAnnotation]: managed.length > 0 ? managed.join(',') : null } },
    imagePullSecrets: pullSecrets.map((name) => (name === '' ? {} : { name })),
  }
}
