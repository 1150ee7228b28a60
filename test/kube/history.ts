/**
 * A model of what an API server tells about a few objects: one history, one counter, and every way in which news of it
 * can reach a cache. The rules are those of etcd and the watch cache: versions count up over all objects, a deletion has
 * a version of its own, a name that is used again gets another uid.
 */
import type { KubeObject } from '../../src/kube/objects.ts'

export interface HistoryEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
}

export class History {
  readonly events: HistoryEvent[] = []
  readonly #live = new Map<string, KubeObject>()
  #version = 100
  #uids = 0

  get version(): string {
    return String(this.#version)
  }

  /** Creates the object, or changes it. @returns what the server answers to the writer */
  write(namespace: string, name: string): KubeObject {
    const before = this.#live.get(`${namespace}/${name}`)
    const uid = before?.metadata.uid ?? `uid-${++this.#uids}`
    const object = { metadata: { namespace, name, uid, resourceVersion: String(++this.#version) } }
    this.#live.set(`${namespace}/${name}`, object)
    this.events.push({ type: before ? 'MODIFIED' : 'ADDED', object })
    return object
  }

  /** @returns the object as it was, or undefined when there is none */
  delete(namespace: string, name: string): KubeObject | undefined {
    const object = this.#live.get(`${namespace}/${name}`)
    if (object === undefined) return undefined
    this.#live.delete(`${namespace}/${name}`)
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) }
    this.events.push({ type: 'DELETED', object: { metadata } })
    return object
  }

  /** What a list of now holds. */
  list(): KubeObject[] {
    return [...this.#live.values()]
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#live.get(`${namespace}/${name}`)
  }
}
