import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Needle, NeedleIndex, type Range, WINDOW } from '../../src/telemetry/needle-index.ts'

/** Few letters, so that needles overlap, repeat and share their beginnings. */
const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '\u{1F511}'), minLength, maxLength })

const asNeedles = (texts: readonly string[]): Needle[] => texts.map((text) => ({ text, wholeRun: false }))

/** What find must give, found by trying every position. */
function naive(text: string, needles: readonly Needle[]): Range[] {
  const hit = Array.from({ length: text.length }, () => false)
  for (const needle of needles) {
    for (let at = text.indexOf(needle.text); at >= 0; at = text.indexOf(needle.text, at + 1)) {
      hit.fill(true, at, at + needle.text.length)
    }
  }
  return [
    ...hit
      .map((is) => (is ? '#' : '.'))
      .join('')
      .matchAll(/#+/g),
  ].map((run) => [run.index, run.index + run[0].length] as const)
}

/** Characters that are covered: neighbours that touch may be one range or two. */
const covered = (ranges: readonly Range[]) =>
  new Set(ranges.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i)))

test('every needle is found wherever it stands, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(letters(WINDOW, 9), { maxLength: 8 }), letters(0, 60), (texts, text) => {
      const index = new NeedleIndex()
      const needles = asNeedles(texts)
      for (const needle of needles) index.add(needle)
      expect(covered(index.find(text))).toEqual(covered(naive(text, needles)))
    }),
  )
})

test('a needle that was taken out is not found, equal ones that stay are', () => {
  fc.assert(
    fc.property(
      fc.array(letters(WINDOW, 8), { maxLength: 6 }),
      fc.array(letters(WINDOW, 8), { maxLength: 6 }),
      letters(0, 60),
      (stay, go, text) => {
        const index = new NeedleIndex()
        const [staying, going] = [asNeedles(stay), asNeedles(go)]
        for (const needle of [...going, ...staying]) index.add(needle)
        for (const needle of going) index.delete(needle)
        expect(covered(index.find(text))).toEqual(covered(naive(text, staying)))
      },
    ),
  )
})

test('a needle for whole runs takes the base64 around it along, with its padding', () => {
  const index = new NeedleIndex()
  index.add({ text: 'c2VjcmV0', wholeRun: true })
  expect(index.find('auth=dXNlcjpc2VjcmV0Zm-_/+9==, x')).toEqual([[5, 29]])
})

test('overlapping ranges come out as one', () => {
  const index = new NeedleIndex()
  for (const needle of asNeedles(['abcdef', 'defghi'])) index.add(needle)
  expect(index.find('-abcdefghi-abcdef')).toEqual([
    [1, 10],
    [11, 17],
  ])
})
