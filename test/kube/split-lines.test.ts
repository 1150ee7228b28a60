import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { LineSplitter } from '../../src/kube/split-lines.ts'

function linesOf(chunks: Buffer[]): string[] {
  const splitter = new LineSplitter()
  return chunks.flatMap((chunk) => splitter.push(chunk))
}

test('lines stay whole wherever the chunks are cut, also within a character', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '))
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      let rest = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      const chunks: Buffer[] = []
      for (const cut of cuts) {
        chunks.push(rest.subarray(0, cut))
        rest = rest.subarray(cut)
      }
      expect(linesOf([...chunks, rest])).toEqual(lines)
    }),
  )
})

test('a last line without an end is dropped, since the event in it is not whole', () => {
  expect(linesOf([Buffer.from('{"a":1}\n{"b"')])).toEqual(['{"a":1}'])
})
