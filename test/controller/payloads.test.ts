import { describe, expect, test } from '@jest/globals'
import { Payloads } from '../../src/controller/payloads.ts'
import type { CredentialState } from '../../src/model/desired.ts'

/** A credential with one login, whose password tells name and version. */
function stateOf(name: string, version: number): CredentialState {
  const credential = { name, priority: 0 } as CredentialState['credential']
  const login = { username: 'robot', password: `${name}-${version}` }
  return { credential, entries: new Map([[`${name}.example.com`, login]]), frozen: false, version }
}

/** With the texts that were made, in their order. */
function open() {
  const made: string[] = []
  const payloads = new Payloads((text) => {
    made.push(text)
    return `hash ${made.length}`
  })
  return { made, payloads }
}

describe('the payload of a set of credentials', () => {
  test('is made once, however many namespaces want it', () => {
    const { made, payloads } = open()
    const [a, b] = [stateOf('a', 1), stateOf('b', 2)]
    const first = payloads.of([a, b])
    expect(payloads.of([a, b])).toBe(first)
    expect(payloads.of([a])).not.toBe(first)
    expect(made).toHaveLength(2)
    expect(JSON.parse(Buffer.from(first.data, 'base64').toString()).auths).toMatchObject({
      'a.example.com': { password: 'a-1' },
      'b.example.com': { password: 'b-2' },
    })
  })

  test('is another one with a new version of one of them', () => {
    const { payloads } = open()
    const b = stateOf('b', 2)
    const first = payloads.of([stateOf('a', 1), b])
    expect(payloads.of([stateOf('a', 3), b]).data).not.toBe(first.data)
  })

  test('is not kept when one of them is forgotten, and that of others is', () => {
    const { made, payloads } = open()
    const [a, b] = [stateOf('a', 1), stateOf('b', 2)]
    payloads.of([a, b])
    const ofB = payloads.of([b])
    payloads.forget('a')
    expect(payloads.of([b])).toBe(ofB)
    expect(made).toHaveLength(2)
    payloads.of([a, b])
    expect(made).toHaveLength(3)
  })

  test('tells of each whose entries are in it which overlaps it has a part in', () => {
    const { payloads } = open()
    const [a, b, c] = [stateOf('a', 1), { ...stateOf('b', 2), entries: stateOf('a', 2).entries }, stateOf('c', 3)]
    const overlap = { key: 'a.example.com', winner: 'a', loser: 'b' }
    expect(payloads.of([a, b, c]).overlaps).toEqual(
      new Map([
        ['a', [overlap]],
        ['b', [overlap]],
        ['c', []],
      ]),
    )
  })
})
