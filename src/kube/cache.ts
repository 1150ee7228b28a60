/**
 * What a watch has told of one resource type, trimmed to what its owner needs, in the order of the API server's history.
 *
 * Three sources feed it in any interleaving: the watch, relists, and the answers to our own writes (write-through), which
 * come over other connections than the watch. Every object carries the resourceVersion it was seen at, and `#settled` is
 * the version up to which everything is known (from lists and bookmarks); so nothing late takes the cache back in time,
 * and it ends up at the server's state. Cluster-scoped objects have the namespace ''.
 */
import type { KubeObject } from './objects.ts'
import { compareVersions } from './resource-version.ts'
import { Tombstones } from './tombstones.ts'
import type { ObjectHead } from './watch-event-head.ts'

/** `before` is missing for an object that appears, `after` for one that goes; both are there for one that changes. */
export interface Change<T> {
  namespace: string
  name: string
  before: T | undefined
  after: T | undefined
}

/** Must not throw. */
export type Listener<T> = (change: Change<T>) => void

/** A list on its way in, page by page. */
export interface Relist {
  add(raw: KubeObject): void
  /** All pages are there: what was not among them is gone. */
  finish(): void
}

interface Entry<T> {
  readonly uid: string
  readonly version: string
  readonly value: T
}

export class Cache<out T> {
  readonly #trim: (raw: KubeObject) => T
  readonly #entries = new Map<string, Map<string, Entry<T>>>()
  /** Of Listener<T>; `never` keeps Cache<T> assignable to Cache<unknown>. */
  readonly #listeners = new Set<Listener<never>>()
  readonly #tombstones = new Tombstones()
  #settled = ''
  #size = 0

  /** @param trim takes from an object what is to be kept; must not throw, nor keep parts of `raw` that it does not need */
  constructor(trim: (raw: KubeObject) => T) {
    this.#trim = trim
  }

  get size(): number {
    return this.#size
  }

  get(namespace: string, name: string): T | undefined {
    return this.#entry(namespace, name)?.value
  }

  *inNamespace(namespace: string): Generator<T, void, undefined> {
    for (const { value } of this.#entries.get(namespace)?.values() ?? []) yield value
  }

  *values(): Generator<T, void, undefined> {
    for (const names of this.#entries.values()) for (const { value } of names.values()) yield value
  }

  /** Calls back for each change that a watch or a relist brings, after it has been stored. @returns ends it */
  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Stores what the API server answered to a write (or a read) of our own; tells nobody. The watch's echo of it will be
   * silent too. Only for objects that the watch's selector selects.
   */
  writeThrough(raw: KubeObject): void {
    if (!this.knows(raw.metadata)) this.#set(raw)
  }

  /**
   * Takes out what a DELETE of our own has removed; tells nobody. Not for an object that a finalizer still keeps: the API
   * server answers such a DELETE with the object instead of a Status, which goes to `writeThrough`.
   */
  writeThroughDelete(namespace: string, name: string, uid: string): void {
    const entry = this.#entry(namespace, name)
    if (entry?.uid !== uid) return
    this.#remove(namespace, name)
    this.#tombstones.buryUnannounced(uid, entry.version)
  }

  /** That an object was like this at this version is no news, be it that the object is gone since. `observe` ignores it. */
  knows({ namespace = '', name, uid, resourceVersion }: ObjectHead): boolean {
    const known = this.#entry(namespace, name)?.version ?? this.#settled
    return compareVersions(resourceVersion, known) <= 0 || this.#tombstones.has(uid)
  }

  /** An event of the watch. */
  observe(type: 'ADDED' | 'MODIFIED' | 'DELETED', raw: KubeObject): void {
    const { namespace = '', name, uid, resourceVersion } = raw.metadata
    const entry = this.#entry(namespace, name)
    if (type === 'DELETED') {
      if (compareVersions(resourceVersion, this.#settled) > 0) this.#tombstones.bury(uid, resourceVersion)
      // The next object of that name outlives the late news of its predecessor's end.
      if (entry?.uid === uid) {
        this.#remove(namespace, name)
        this.#tell(namespace, name, entry.value, undefined)
      }
      return
    }
    if (this.knows(raw.metadata)) return
    this.#tell(namespace, name, entry?.value, this.#set(raw))
  }

  /** The watch has told everything up to this version. */
  bookmark(version: string): void {
    if (compareVersions(version, this.#settled) <= 0) return
    this.#settled = version
    this.#tombstones.forgetAnnounced(version)
  }

  /**
   * Takes in a consistent list (of all pages one version), in place of everything older than it. A list that is older than
   * what is known means that the server's history was set back (a restored etcd); then the list wins over everything.
   */
  relist(version: string): Relist {
    const setBack = compareVersions(version, this.#settled) < 0
    if (setBack) this.#tombstones.clear()
    const listed = new Map<string, Set<string>>()
    const listedUids = new Set<string>()
    return {
      add: (raw) => {
        const { namespace = '', name, uid, resourceVersion } = raw.metadata
        listedUids.add(uid)
        const names = listed.get(namespace)
        if (names === undefined) listed.set(namespace, new Set([name]))
        else names.add(name)
        const entry = this.#entry(namespace, name)
        const known = entry === undefined ? false : this.#holds(entry, uid, resourceVersion, setBack)
        if (!known && !this.#tombstones.has(uid)) this.#tell(namespace, name, entry?.value, this.#set(raw))
      },
      finish: () => {
        for (const [namespace, names] of this.#entries) {
          for (const [name, { version: seen, value }] of names) {
            if (listed.get(namespace)?.has(name) || (!setBack && compareVersions(seen, version) > 0)) continue
            this.#remove(namespace, name)
            this.#tell(namespace, name, value, undefined)
          }
        }
        this.#settled = version
        this.#tombstones.forgetUnlisted(version, listedUids)
      },
    }
  }

  #holds(entry: Entry<T>, uid: string, version: string, setBack: boolean): boolean {
    return setBack ? entry.uid === uid && entry.version === version : compareVersions(version, entry.version) <= 0
  }

  #entry(namespace: string, name: string): Entry<T> | undefined {
    return this.#entries.get(namespace)?.get(name)
  }

  #set(raw: KubeObject): T {
    const { namespace = '', name, uid, resourceVersion } = raw.metadata
    const value = this.#trim(raw)
    const entry = { uid, version: resourceVersion, value }
    const names = this.#entries.get(namespace)
    if (!names?.has(name)) this.#size++
    if (names === undefined) this.#entries.set(namespace, new Map([[name, entry]]))
    else names.set(name, entry)
    return value
  }

  #remove(namespace: string, name: string): void {
    const names = this.#entries.get(namespace)
    if (names?.delete(name)) this.#size--
    if (names?.size === 0) this.#entries.delete(namespace)
  }

  #tell(namespace: string, name: string, before: T | undefined, after: T | undefined): void {
    const change = { namespace, name, before, after } as Change<never>
    for (const listener of this.#listeners) listener(change)
  }
}
