/** JSON as hostile people write it: keys twice, keys of Object.prototype, numbers beyond all bounds, and more. */
import type { Random } from '../support/random.ts'

/** Ready-made text, or an object as its members, of which several may have the same key. */
export type Json = string | readonly (readonly [key: string, value: Json])[]

/** Text of a JSON string. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}

const depth = 100_000

const oddKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '\u0000'] as const

const oddValues = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '9'.repeat(400),
  `0.${'3'.repeat(400)}`,
  '0x10',
  'NaN',
  'undefined',
  '"\\ud800"',
  '"\ud800"',
  '"\\u0000"',
  '"\u0000"',
  '"\\ud83d\\ude00"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '["","",[[[]]]]',
] as const

/** Too large for more than a few cases. */
const hugeValues = [
  '['.repeat(depth) + ']'.repeat(depth),
  '{"a":'.repeat(depth) + '1'.padEnd(depth + 1, '}'),
  '['.repeat(depth),
  `"${'x'.repeat(300_000)}"`,
  `{${'"a":{},'.repeat(10_000)}"a":1}`,
] as const

/** The text of the value, with now and then a member too many, missing, twice, elsewhere, or of another kind. */
export function write(value: Json, random: Random): string {
  if (random.once(20_000)) return random.pick(hugeValues)
  if (random.once(25)) return random.pick(oddValues)
  if (typeof value === 'string') return value
  const members = value.map(([key, member]) => `${quoted(keyOf(key, random))}:${write(member, random)}`)
  if (random.once(10)) members.splice(random.below(members.length + 1), 1)
  if (random.once(10)) members.push(`${quoted(random.pick(oddKeys))}:${random.pick(oddValues)}`)
  if (random.once(10) && members.length > 0) members.push(random.pick(members as [string, ...string[]]))
  if (random.once(10)) members.reverse()
  return `{${members.join(random.once(30) ? ' ,\n' : ',')}}`
}

function keyOf(key: string, random: Random): string {
  if (random.once(30)) return random.pick(oddKeys)
  if (random.once(30)) return key.toUpperCase()
  return key
}
