import { beforeEach, describe, expect, test } from '@jest/globals'
import { Cache, type Change } from '../../src/kube/cache.ts'
import type { KubeObject } from '../../src/kube/objects.ts'

/** What these tests keep of an object. */
interface Facts {
  uid: string
  version: string
}

function object(name: string, version: string, uid = `${name}-uid`, namespace = 'ns'): KubeObject {
  return { metadata: { namespace, name, uid, resourceVersion: version } }
}

let cache: Cache<Facts>
let changes: Change<Facts>[]

beforeEach(() => {
  cache = new Cache(({ metadata: { uid, resourceVersion } }) => ({ uid, version: resourceVersion }))
  changes = []
  cache.subscribe((change) => changes.push(change))
})

function list(version: string, ...objects: KubeObject[]): void {
  const relist = cache.relist(version)
  for (const item of objects) relist.add(item)
  relist.finish()
}

/** The changes told since the last call, as `name: before→after`. */
function told(): string[] {
  return changes.splice(0).map(({ name, before, after }) => `${name}: ${before?.version ?? ''}→${after?.version ?? ''}`)
}

describe('the watch', () => {
  test('objects appear, change and go, and each is told', () => {
    cache.observe('ADDED', object('a', '1'))
    cache.observe('MODIFIED', object('a', '2'))
    expect(cache.get('ns', 'a')).toEqual({ uid: 'a-uid', version: '2' })
    cache.observe('DELETED', object('a', '3'))
    expect(cache.get('ns', 'a')).toBeUndefined()
    expect(told()).toEqual(['a: →1', 'a: 1→2', 'a: 2→'])
  })

  test('what is known already, or older, is not told again', () => {
    cache.observe('ADDED', object('a', '10'))
    told()
    cache.observe('ADDED', object('a', '10'))
    cache.observe('MODIFIED', object('a', '9'))
    expect(told()).toEqual([])
    expect(cache.get('ns', 'a')?.version).toBe('10')
  })

  test('an object that was deleted and created again replaces the first one, whose late end does not touch it', () => {
    cache.observe('ADDED', object('a', '1', 'first'))
    cache.observe('ADDED', object('a', '3', 'second'))
    cache.observe('DELETED', object('a', '2', 'first'))
    expect(cache.get('ns', 'a')?.uid).toBe('second')
    expect(told()).toEqual(['a: →1', 'a: 1→3'])
  })

  test('a late event does not bring a deleted object back, before or after a bookmark', () => {
    cache.observe('ADDED', object('a', '1'))
    cache.observe('DELETED', object('a', '3'))
    cache.observe('MODIFIED', object('a', '2'))
    expect(cache.size).toBe(0)
    cache.bookmark('3')
    cache.observe('MODIFIED', object('a', '2'))
    expect(cache.size).toBe(0)
  })
})

describe('what is known', () => {
  const knows = (...args: Parameters<typeof object>) => cache.knows(object(...args).metadata)

  test('is an object at its version and older ones, from the watch or from a write of ours', () => {
    cache.observe('ADDED', object('a', '10'))
    cache.writeThrough(object('b', '20'))
    expect(['9', '10', '11'].map((version) => knows('a', version))).toEqual([true, true, false])
    expect(['20', '21'].map((version) => knows('b', version))).toEqual([true, false])
    expect(knows('a', '5', 'a-uid', 'elsewhere')).toBe(false)
  })

  test('is that an object was there that has been deleted, by others or by us', () => {
    cache.observe('ADDED', object('a', '1'))
    cache.observe('DELETED', object('a', '5'))
    cache.observe('ADDED', object('b', '2'))
    cache.writeThroughDelete('ns', 'b', 'b-uid')
    expect([knows('a', '4'), knows('b', '9')]).toEqual([true, true])
    expect([knows('a', '6', 'next'), knows('b', '10', 'next')]).toEqual([false, false])
  })

  test('is everything up to the last bookmark and the last list, and nothing before them', () => {
    expect(knows('a', '1')).toBe(false)
    cache.bookmark('5')
    expect([knows('a', '5'), knows('a', '6')]).toEqual([true, false])
    list('7')
    expect([knows('a', '7'), knows('a', '8')]).toEqual([true, false])
  })

  test('is what is cluster-scoped, too', () => {
    const wide = { name: 'wide', uid: 'u', resourceVersion: '4' }
    cache.observe('ADDED', { metadata: wide })
    expect(cache.knows(wide)).toBe(true)
    expect(cache.knows({ ...wide, resourceVersion: '5' })).toBe(false)
  })
})

describe('our own writes', () => {
  test('are seen at once, and neither they nor their echo are told', () => {
    cache.observe('ADDED', object('a', '1'))
    told()
    cache.writeThrough(object('a', '2'))
    expect(cache.get('ns', 'a')?.version).toBe('2')
    cache.observe('MODIFIED', object('a', '2'))
    expect(told()).toEqual([])
  })

  test("somebody else's write after ours is told with ours as what was before", () => {
    cache.writeThrough(object('a', '2'))
    cache.observe('MODIFIED', object('a', '3'))
    expect(told()).toEqual(['a: 2→3'])
  })

  test('an answer that comes late does not undo what the watch has told', () => {
    cache.observe('MODIFIED', object('a', '5'))
    cache.writeThrough(object('a', '4'))
    expect(cache.get('ns', 'a')?.version).toBe('5')
    cache.observe('DELETED', object('a', '6'))
    cache.writeThrough(object('a', '4'))
    expect(cache.size).toBe(0)
    list('7')
    cache.writeThrough(object('a', '4'))
    expect(cache.size).toBe(0)
  })

  test('a deletion of ours is seen at once, and neither it nor older events of the object are told', () => {
    cache.observe('ADDED', object('a', '1'))
    told()
    cache.writeThroughDelete('ns', 'a', 'a-uid')
    expect(cache.get('ns', 'a')).toBeUndefined()
    cache.observe('MODIFIED', object('a', '2'))
    cache.bookmark('2')
    cache.observe('MODIFIED', object('a', '3'))
    cache.observe('DELETED', object('a', '4'))
    expect(told()).toEqual([])
    expect(cache.size).toBe(0)
  })

  test('the answer to a deletion that comes late does not remove the next object of that name', () => {
    cache.observe('ADDED', object('a', '3', 'second'))
    cache.writeThroughDelete('ns', 'a', 'first')
    expect(cache.get('ns', 'a')?.uid).toBe('second')
  })
})

describe('relists', () => {
  test('tell only what is different', () => {
    list('10', object('a', '1'), object('b', '2'), object('c', '3'))
    told()
    list('20', object('a', '1'), object('b', '12'), object('d', '13'))
    expect(told()).toEqual(['b: 2→12', 'd: →13', 'c: 3→'])
    expect(cache.size).toBe(3)
  })

  test('pages take effect as they come, removals only when all are there', () => {
    list('10', object('a', '1'))
    told()
    const relist = cache.relist('20')
    relist.add(object('b', '15'))
    expect(told()).toEqual(['b: →15'])
    expect(cache.size).toBe(2)
    relist.finish()
    expect(told()).toEqual(['a: 1→'])
  })

  test('leave alone what we have written since', () => {
    cache.writeThrough(object('a', '21'))
    list('20')
    expect(cache.get('ns', 'a')?.version).toBe('21')
    cache.writeThrough(object('b', '25'))
    list('22', object('b', '5'))
    expect(cache.get('ns', 'b')?.version).toBe('25')
    expect(cache.get('ns', 'a')).toBeUndefined()
  })

  test('do not bring back what we have deleted, when the list is from before', () => {
    list('10', object('a', '1'))
    cache.writeThroughDelete('ns', 'a', 'a-uid')
    list('11', object('a', '1'))
    cache.observe('MODIFIED', object('a', '12'))
    expect(cache.size).toBe(0)
    cache.observe('DELETED', object('a', '13'))
    expect(told()).toEqual(['a: →1'])
  })

  test('a list of an older version wins over everything, since the etcd behind it was restored', () => {
    list('100', object('a', '90'), object('b', '50'), object('c', '95'))
    cache.observe('DELETED', object('c', '101'))
    told()
    list('60', object('a', '40'), object('b', '50'), object('c', '55'))
    expect(told()).toEqual(['a: 90→40', 'c: →55'])
    cache.observe('MODIFIED', object('a', '61'))
    expect(told()).toEqual(['a: 40→61'])
  })
})

describe('reading', () => {
  test('objects are found by namespace and name; cluster-scoped ones under the namespace of no name', () => {
    cache.observe('ADDED', object('a', '1', 'u1', 'ns1'))
    cache.observe('ADDED', object('a', '2', 'u2', 'ns2'))
    cache.observe('ADDED', object('b', '3', 'u3', 'ns2'))
    cache.observe('ADDED', { metadata: { name: 'wide', uid: 'u4', resourceVersion: '4' } })
    const uids = (facts: Iterable<Facts>) => [...facts].map(({ uid }) => uid)
    expect(uids(cache.inNamespace('ns2'))).toEqual(['u2', 'u3'])
    expect(uids(cache.inNamespace('nowhere'))).toEqual([])
    expect(uids(cache.values())).toEqual(['u1', 'u2', 'u3', 'u4'])
    expect(cache.get('', 'wide')?.uid).toBe('u4')
    expect(cache.size).toBe(4)
  })

  test('only what the owner asks for is kept', () => {
    const names = new Cache(({ metadata }) => metadata.name)
    names.observe('ADDED', object('a', '1'))
    expect([...names.values()]).toEqual(['a'])
  })

  test('a listener that has ended its subscription is not called any more', () => {
    let calls = 0
    const end = cache.subscribe(() => {
      calls++
    })
    cache.observe('ADDED', object('a', '1'))
    end()
    cache.observe('MODIFIED', object('a', '2'))
    expect(calls).toBe(1)
  })
})
