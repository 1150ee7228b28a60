/** Whatever the order in which news reaches it, a cache ends at the server's state, and its listeners know that state. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Cache } from '../../src/kube/cache.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { History } from './history.ts'

interface Facts {
  uid: string
  version: string
}

const facts = ({ metadata: { uid, resourceVersion } }: KubeObject): Facts => ({ uid, version: resourceVersion })

/** The server, a cache, and the news between them that are still on their way. */
class World {
  readonly history = new History()
  readonly cache = new Cache(facts)
  /** What a listener that only hears of changes, plus what it has written itself, believes. */
  readonly believed = new Map<string, Facts>()
  /** Told to listeners so far. */
  changes = 0
  /** Answers to our own writes. */
  readonly answers: (() => void)[] = []
  /** Up to where the watch has come, as an index in the history. */
  told = 0
  /** A list that the server has answered and the cache has yet to take in. No watch goes on meanwhile. */
  #listed: { version: string; items: KubeObject[]; told: number } | undefined

  constructor() {
    this.cache.subscribe(({ namespace, name, before, after }) => {
      const key = `${namespace}/${name}`
      this.changes++
      expect(before).toEqual(this.believed.get(key))
      if (after === undefined) this.believed.delete(key)
      else this.believed.set(key, after)
    })
  }

  /** After a write-through, which is silent: its caller knows the new state. */
  believe(namespace: string, name: string): void {
    const value = this.cache.get(namespace, name)
    if (value === undefined) this.believed.delete(`${namespace}/${name}`)
    else this.believed.set(`${namespace}/${name}`, value)
  }

  deliver(index: number): void {
    const event = this.history.events[index]
    if (event === undefined) return
    const { type, object } = event
    const known = this.cache.knows(object.metadata)
    const before = this.changes
    this.cache.observe(type, object)
    // An event that is not parsed, since the cache knows it, must be one that nobody would have heard of.
    if (type !== 'DELETED') expect(this.changes > before).toBe(!known)
  }

  /** Of the server: what it answers is the state of now, whatever happens until the answer is there. */
  list(): void {
    this.#listed ??= { version: this.history.version, items: this.history.list(), told: this.history.events.length }
  }

  relist(): void {
    if (this.#listed === undefined) return
    const { version, items, told } = this.#listed
    this.#listed = undefined
    const relist = this.cache.relist(version)
    for (const item of items) relist.add(item)
    relist.finish()
    this.told = told
  }

  watch(): void {
    if (this.#listed === undefined && this.told < this.history.events.length) this.deliver(this.told++)
  }

  /** The rest of the watch, and all answers. */
  finish(): void {
    this.relist()
    for (; this.told < this.history.events.length; this.told++) this.deliver(this.told)
    for (const answer of this.answers.splice(0)) answer()
  }

  check(): void {
    const expected = new Map(this.history.list().map((item) => [`ns/${item.metadata.name}`, facts(item)]))
    const names = ['a', 'b', 'c']
    const held = names.flatMap((name) => {
      const value = this.cache.get('ns', name)
      return value === undefined ? [] : [[`ns/${name}`, value] as const]
    })
    expect(new Map(held)).toEqual(expected)
    expect(this.cache.size).toBe(expected.size)
    expect(this.believed).toEqual(expected)
  }
}

type Step = (world: World) => void

const name = fc.constantFrom('a', 'b', 'c')
const index = fc.nat(40)

/** What others do, what we do, and what arrives. */
const steps: fc.Arbitrary<Step>[] = [
  name.map(
    (key) =>
      ({ history }) =>
        void history.write('ns', key),
  ),
  name.map(
    (key) =>
      ({ history }) =>
        void history.delete('ns', key),
  ),
  name.map((key) => (world) => {
    const written = world.history.write('ns', key)
    world.answers.push(() => {
      world.cache.writeThrough(written)
      world.believe('ns', key)
    })
  }),
  name.map((key) => (world) => {
    const gone = world.history.delete('ns', key)
    if (gone === undefined) return
    world.answers.push(() => {
      world.cache.writeThroughDelete('ns', key, gone.metadata.uid)
      world.believe('ns', key)
    })
  }),
  // Answers come in any order.
  index.map((i) => ({ answers }) => {
    for (const answer of answers.splice(i % Math.max(answers.length, 1), 1)) answer()
  }),
  fc.constant((world) => world.watch()),
  fc.constant((world) => world.watch()),
  // Once more, what was told before.
  index.map((i) => (world) => {
    if (world.told > 0) world.deliver(i % world.told)
  }),
  fc.constant((world) => {
    const last = world.history.events[world.told - 1]
    if (last !== undefined) world.cache.bookmark(last.object.metadata.resourceVersion)
  }),
  fc.constant((world) => world.list()),
  fc.constant((world) => world.relist()),
]

const play = fc.array(fc.oneof(...steps), { maxLength: 60 })

test('a cache converges under any interleaving of the watch, repeated events, bookmarks, relists and our own writes', () => {
  fc.assert(
    fc.property(play, (moves) => {
      const world = new World()
      for (const move of moves) move(world)
      world.finish()
      world.check()
    }),
    { numRuns: 3_000 },
  )
})

test('a cache converges when the events of the watch come in any order, and more than once', () => {
  const order = fc.array(index, { maxLength: 60 })
  fc.assert(
    fc.property(play, order, fc.boolean(), (moves, first, answersFirst) => {
      const world = new World()
      for (const move of moves) move(world)
      world.relist()
      const { events } = world.history
      if (answersFirst) for (const answer of world.answers.splice(0)) answer()
      const rest = events.map((_, i) => i).slice(world.told)
      // Some in a drawn order, then all of them once, backwards: the worst case for "the latest wins".
      for (const i of first) if (rest.length > 0) world.deliver(rest[i % rest.length] ?? 0)
      for (const i of rest.toReversed()) world.deliver(i)
      world.told = events.length
      world.finish()
      world.check()
    }),
    { numRuns: 3_000 },
  )
})

test('a cache never goes back: the version of an object that it holds only grows, until the object is gone', () => {
  fc.assert(
    fc.property(play, (moves) => {
      const world = new World()
      let last = new Map<string, Facts>()
      for (const move of moves) {
        move(world)
        const now = new Map<string, Facts>()
        for (const key of ['a', 'b', 'c']) {
          const value = world.cache.get('ns', key)
          if (value === undefined) continue
          now.set(key, value)
          expect(Number(value.version)).toBeGreaterThanOrEqual(Number(last.get(key)?.version ?? 0))
        }
        last = now
      }
    }),
    { numRuns: 1_000 },
  )
})
