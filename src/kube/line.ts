/**
 * First in, first out, of things that may leave the line early. A Set keeps the order and lets go of any member at once;
 * its live iterator never looks twice at what has left.
 */
export class Line<T> {
  readonly #members = new Set<T>()
  #rest = this.#members.values()

  get size(): number {
    return this.#members.size
  }

  /** Undefined when nobody waits. */
  get first(): T | undefined {
    return this.#members.values().next().value
  }

  /** At its end; whoever is in it already stays where they are. */
  add(member: T): void {
    this.#members.add(member)
  }

  delete(member: T): void {
    this.#members.delete(member)
  }

  /** Takes out the first; undefined when nobody waits. */
  shift(): T | undefined {
    let next = this.#rest.next()
    if (next.done) {
      this.#rest = this.#members.values() // an iterator that has come to the end stays there
      next = this.#rest.next()
    }
    if (next.done) return undefined
    this.#members.delete(next.value)
    return next.value
  }

  clear(): void {
    this.#members.clear()
  }
}
