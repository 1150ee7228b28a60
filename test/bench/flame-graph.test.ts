/** The flame graphs that `npm run bench:profile` draws. */
import { expect, test } from '@jest/globals'
import { flameGraphOf } from '../../bench/flame-graph.ts'
import type { Frame, Origin } from '../../bench/frames.ts'

function frame(name: string, origin: Origin, self: number, ...children: Frame[]): Frame {
  return { name, origin, self, children }
}

function draw(...children: Frame[]): string {
  return flameGraphOf('CPU', frame('(root)', 'V8 and native', 0, ...children), (value) => `${value} ms`)
}

/** Of the frames: name, x, y, width. */
function boxesOf(svg: string) {
  const box = /<g><title>(.+?): .+?<\/title><rect x="(.+?)" y="(\d+)" width="(.+?)"/g
  return [...svg.matchAll(box)].map(([, name, ...numbers]) => [name, ...numbers.map(Number)])
}

test('a frame is as wide as what it and those below it have, the widest first', () => {
  const svg = draw(frame('little', 'Node', 25), frame('much', 'operator', 15, frame('below', 'undici', 60)))
  expect(boxesOf(svg)).toEqual([
    ['(root)', 0, 60, 1199.5],
    ['much', 0, 77, 899.5],
    ['below', 0, 94, 719.5],
    ['little', 900, 77, 299.5],
  ])
})

test('each tells its name, share and value, and has the colour of its origin in the legend', () => {
  const svg = draw(frame('f src/a.ts:1', 'operator', 30), frame('g', 'undici', 10))
  expect(svg).toContain('<title>f src/a.ts:1: 75.0 %, 30 ms</title>')
  const [, colour] = /g: 25\.0 %, 10 ms<\/title><rect [^>]*fill="(.+?)"/.exec(svg) ?? []
  expect(svg).toMatch(new RegExp(`fill="${colour}"/><text [^>]*>undici</text>`))
})

test('what is too narrow to be seen is left out', () => {
  const svg = draw(frame('much', 'operator', 9_999), frame('little', 'Node', 1, frame('below', 'undici', 0)))
  expect(boxesOf(svg).map(([name]) => name)).toEqual(['(root)', 'much'])
})

test('a name is cut to what its frame has room for', () => {
  const svg = draw(frame('much', 'operator', 1_155), frame('abcdefghi', 'Node', 42), frame('little', 'Node', 3))
  const labels = [...svg.matchAll(/dx="2" y="\d+">(.*?)</g)].map(([, label]) => label)
  expect(labels).toEqual(['(root)', 'much', 'abcde'])
})

test('names are text, whatever they hold, and there are no scripts', () => {
  const svg = draw(frame('Client.<computed> & "<script>"', 'undici', 1))
  expect(svg).toContain('>Client.&#60;computed&#62; &#38; &#34;&#60;script&#62;&#34;: 100.0 %')
  expect(svg).not.toContain('<script')
})
