import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { splitLines } from '../../src/kube/split-lines.ts'

async function linesOf(chunks: Buffer[]): Promise<string[]> {
  async function* stream() {
    yield* chunks
  }
  const lines: string[] = []
  for await (const line of splitLines(stream())) lines.push(line)
  return lines
}

test('lines stay whole wherever the chunks are cut, also within a character', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), async (lines, cuts) => {
      let rest = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      const chunks: Buffer[] = []
      for (const cut of cuts) {
        chunks.push(rest.subarray(0, cut))
        rest = rest.subarray(cut)
      }
      expect(await linesOf([...chunks, rest])).toEqual(lines)
    }),
  )
})

test('a last line without an end is dropped, since the event in it is not whole', async () => {
  expect(await linesOf([Buffer.from('{"a":1}\n{"b"')])).toEqual(['{"a":1}'])
})
