/**
 * Writes the references on ServiceAccounts. The list is atomic and others write it too, so it is always sent whole
 * together with the resourceVersion it was made from; on 409 it is read and made again. Nobody's entry is lost.
 *
 * An admission policy may change the list in the same request, so the answer is looked at and not only its status code.
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

/** Milliseconds between attempts: a policy hears of a namespace's new labels up to 300 ms later. A worker waits so long. */
const overruledDelays = [100, 300]

/** An admission policy wants the opposite: nothing is taken for done, and the namespace backs off. */
export class OverruledError extends Error {
  override readonly name = 'OverruledError'
  readonly reason = 'Overruled'

  constructor(current: ObservedServiceAccount, { pullSecrets }: LinkChange) {
    const putBack = current.pullSecrets.filter((name) => !pullSecrets.includes(name))
    const what =
      putBack.length > 0
        ? `puts ${putBack.join(', ')} back in the same request, although no credential asks for it here any more`
        : 'takes back in the same request what is written'
    super(`an admission policy ${what}; look at the MutatingAdmissionPolicies and webhooks for ServiceAccounts.`)
  }
}

/** What is to become of each reference, for a state of the ServiceAccount. */
type LinksOf = (serviceAccount: ObservedServiceAccount) => ReadonlyMap<string, Link>

function changeOf(current: ObservedServiceAccount, linksOf: LinksOf): LinkChange | undefined {
  return current.deleting || current.tooMany ? undefined : linkChange(current, linksOf(current))
}

export class ServiceAccountWriter {
  readonly #client: KubeClient
  readonly #cache: Cache<ObservedServiceAccount>

  constructor(client: KubeClient, cache: Cache<ObservedServiceAccount>) {
    this.#client = client
    this.#cache = cache
  }

  /**
   * Makes the references of one ServiceAccount right.
   * @param linksOf asked again for every new state of the ServiceAccount
   * @returns whether it was written; undefined when they are right already: not so much as a promise for each of thousands
   * @throws ApiError, OverruledError
   */
  write(namespace: string, serviceAccount: ObservedServiceAccount, linksOf: LinksOf): Promise<boolean> | undefined {
    const change = changeOf(serviceAccount, linksOf)
    return change && this.#write(namespace, serviceAccount, change, linksOf)
  }

  async #write(
    namespace: string,
    serviceAccount: ObservedServiceAccount,
    firstChange: LinkChange,
    linksOf: LinksOf,
  ): Promise<boolean> {
    const path = serviceAccountPath(namespace, serviceAccount.name)
    try {
      let current = serviceAccount
      let change: LinkChange | undefined = firstChange
      let answers = 0
      for (let attempt = 1; ; attempt++) {
        if (change === undefined) return answers > 0
        if (answers > overruledDelays.length) throw new OverruledError(current, change)
        if (answers > 0) await delay(overruledDelays[answers - 1])
        const answer = await this.#patch(path, change, current.resourceVersion, attempt)
        if (answer) answers++
        const live = answer ?? (await this.#client.get<KubeObject>(path))
        this.#cache.writeThrough(live)
        current = observeServiceAccount(live)
        change = changeOf(current, linksOf)
      }
    } catch (error) {
      if (!isNotFound(error)) throw error
      return false // deleted meanwhile; the watch brings the news
    }
  }

  /** Undefined after a conflict, which the last attempt throws. */
  async #patch(
    path: string,
    change: LinkChange,
    resourceVersion: string,
    attempt: number,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#client.mergePatch<KubeObject>(path, patchOf(change, resourceVersion), { fieldManager })
    } catch (error) {
      if (!isConflict(error) || attempt === maxAttempts) throw error
      await delay(Math.random() * 10 * attempt)
      return undefined
    }
  }
}

function patchOf({ pullSecrets, managed }: LinkChange, resourceVersion: string) {
  return {
    metadata: { resourceVersion, annotations: { [managedAnnotation]: managed.length > 0 ? managed.join(',') : null } },
    imagePullSecrets: entriesOf(pullSecrets),
  }
}

export function serviceAccountPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`
}

/** `imagePullSecrets` of names as they are observed: that of an entry without one is ''. */
export function entriesOf(pullSecrets: readonly string[]): { name?: string }[] {
  return pullSecrets.map((name) => (name === '' ? {} : { name }))
}
