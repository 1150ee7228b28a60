/**
 * Which change wakes which loop. Only wakes: what is to be done is found by looking at the state, never at the change.
 */
import { isDeepStrictEqual } from 'node:util'
import { secretOf } from '../model/credential.ts'
import type { ObservedServiceAccount } from '../model/observed.ts'
import { watchFiles } from '../sources/file-watch.ts'
import type { Caches } from './caches.ts'
import type { ObservedCredential } from './observe.ts'

export interface Wakers {
  credential(name: string): void
  /** The source of a credential, or what is asked of it. */
  login(credential: string): void
  status(credential: string): void
  namespace(name: string): void
  /** A target Secret does not exist any more. */
  secretGone(uid: string): void
  serviceAccountGone(namespace: string, name: string): void
}

/** @returns stops following */
export function follow(caches: Caches, wake: Wakers): () => void {
  const followed = [
    caches.credentials.subscribe(({ name, before, after }) => {
      if (before && after && sameButStatus(before, after)) wake.status(name)
      else {
        wake.credential(name)
        wake.login(name)
      }
    }),
    caches.sources.subscribe(({ name }) => {
      for (const credential of caches.credentials.values()) {
        if (secretOf(credential.source) === name) wake.login(credential.name)
      }
    }),
    caches.namespaces.subscribe(({ name, before, after }) => {
      if (!isDeepStrictEqual(before, after)) wake.namespace(name)
    }),
    caches.serviceAccounts.subscribe(({ namespace, name, before, after }) => {
      if (!after) wake.serviceAccountGone(namespace, name)
      if (!before || !after || !sameReferences(before, after)) wake.namespace(namespace)
    }),
    ...[...caches.secrets.values()].map((cache) =>
      cache.subscribe(({ namespace, before, after }) => {
        if (before && before.uid !== after?.uid) wake.secretGone(before.uid)
        wake.namespace(namespace)
      }),
    ),
  ]
  return () => {
    for (const unsubscribe of followed) unsubscribe()
  }
}

/** Wakes the credentials whose files in `dir` have changed, until the signal ends it. */
export function followFiles(
  dir: string,
  caches: Pick<Caches, 'credentials'>,
  login: Wakers['login'],
  signal: AbortSignal,
): void {
  const changed = (folder: string) => {
    for (const { name, source } of caches.credentials.values()) if (source.files?.name === folder) login(name)
  }
  watchFiles(dir, changed, signal)
}

function sameButStatus(before: ObservedCredential, after: ObservedCredential): boolean {
  return (
    before.uid === after.uid &&
    before.generation === after.generation && // also moved by the deletionTimestamp
    before.refreshRequest === after.refreshRequest &&
    isDeepStrictEqual(before.finalizers, after.finalizers)
  )
}

/** Other controllers write other fields, such as `secrets`, or the same list as before. */
function sameReferences(before: ObservedServiceAccount, after: ObservedServiceAccount): boolean {
  const { resourceVersion, listManager, listedAt } = after
  return isDeepStrictEqual({ ...before, resourceVersion, listManager, listedAt }, after)
}
