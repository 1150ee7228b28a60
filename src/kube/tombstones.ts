/**
 * The uids of deleted objects, for as long as news of their lives may still be on the way: an event that the watch has
 * yet to bring, or the answer to a write. Bookmarks and relists tell when that is over, so the set stays small.
 */
import { compareVersions } from './resource-version.ts'

interface Tombstone {
  /** The deletion's, or (unannounced) the last one that the object was seen at. */
  version: string
  /** The watch has brought the deletion. */
  announced: boolean
}

export class Tombstones {
  readonly #byUid = new Map<string, Tombstone>()

  has(uid: string): boolean {
    return this.#byUid.has(uid)
  }

  /** The watch says: deleted at this version. */
  bury(uid: string, version: string): void {
    this.#byUid.set(uid, { version, announced: true })
  }

  /** We have deleted it ourselves; the watch will say so. */
  buryUnannounced(uid: string, lastSeen: string): void {
    if (!this.#byUid.has(uid)) this.#byUid.set(uid, { version: lastSeen, announced: false })
  }

  /** The watch has told everything up to this version. */
  forgetAnnounced(version: string): void {
    for (const [uid, stone] of this.#byUid) {
      if (stone.announced && compareVersions(stone.version, version) <= 0) this.#byUid.delete(uid)
    }
  }

  /** A list of this version is in: what it does not hold although it could has no history left. */
  forgetUnlisted(version: string, listed: ReadonlySet<string>): void {
    for (const [uid, stone] of this.#byUid) {
      if (!listed.has(uid) && compareVersions(stone.version, version) <= 0) this.#byUid.delete(uid)
    }
  }

  clear(): void {
    this.#byUid.clear()
  }
}
