/** What befalls a text, and then its bytes, on the way. */
import type { Random } from '../support/random.ts'

const pieces = [
  '"',
  '\\',
  '\\"',
  '\\u',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '=',
  '.',
  ' ',
  '\t',
  '\r\n',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\udc00',
  '// x\n',
  '/* x */',
  '# x',
  "'",
  '%00',
  '-',
  '1e400',
  'null',
  '""""',
  '__proto__',
] as const

/** The text with up to three pieces cut out, doubled, put in, or all behind them gone. Half of them stay whole. */
export function damaged(text: string, random: Random): string {
  let result = text
  for (let times = random.once(2) ? 0 : 1 + random.below(3); times > 0; times--) {
    const from = random.below(result.length + 1)
    const to = Math.min(result.length, from + random.below(12))
    const [before, some, after] = [result.slice(0, from), result.slice(from, to), result.slice(to)]
    result = random.pick([
      () => before,
      () => before + after,
      () => before + some + some + after,
      () => before + random.pick(pieces) + some + after,
      () => before + random.pick(pieces) + after,
      () => random.pick(pieces) + result,
      () => result + random.pick(pieces),
      () => before + [...some].reverse().join('') + after,
      () => (random.once(100) ? before + some.padEnd(100_000, some || 'x') + after : before),
    ])()
  }
  return result
}

/** Its bytes in UTF-8, now and then with some that are none. */
export function bytesOf(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  if (!random.once(8)) return bytes
  const bad = random.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0]])
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(bad), bytes.subarray(at)])
}

/** Bytes of chance alone, of which some are no more than text. */
export function noise(random: Random): Buffer {
  const end = random.pick([256, 128, 40])
  return Buffer.from(Array.from({ length: random.below(random.pick([4, 64, 400])) }, () => random.below(end)))
}
