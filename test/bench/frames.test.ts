/** What `npm run bench:profile` makes of V8's profiles. */
import type { Profiler, Runtime } from 'node:inspector'
import { expect, test } from '@jest/globals'
import { allocationFrames, cpuFrames, type Locate, sharesOf, totalOf } from '../../bench/frames.ts'

const bundle = 'file:///app/regcred-operator.mjs'

function call(functionName: string, url = '', lineNumber = 0): Runtime.CallFrame {
  return { functionName, scriptId: '1', url, lineNumber, columnNumber: 0 }
}

/** By the line of the bundle. */
const locate: Locate = ({ lineNumber }) =>
  [
    { file: '../src/kube/client.ts', line: 12 },
    { file: '../../node_modules/undici/lib/core/request.js', line: 3 },
    { file: '../node_modules/a/node_modules/@b/c/src/d.js', line: 4 },
  ][lineNumber]

function allocated(callFrame: Runtime.CallFrame, selfSize: number) {
  return { callFrame, selfSize, children: [] }
}

test('a function is from where its place in the sources, or else its URL, says', () => {
  const children = [
    allocated(call('patch', bundle, 0), 10),
    allocated(call('', bundle, 1), 20),
    allocated(call('wasm-function[3]', 'wasm://wasm/0123'), 5),
    allocated(call('f', bundle, 2), 30),
    allocated(call('steps', 'file:///bench/profiler.ts', 9), 0),
    allocated(call('emit', 'node:events'), 15),
    allocated(call('writev'), 20),
  ]
  const root = allocationFrames({ head: { ...allocated(call('(root)'), 0), children } }, locate)
  expect(root.children.map(({ name, origin }) => [name, origin])).toEqual([
    ['patch src/kube/client.ts:12', 'operator'],
    ['(anonymous) undici/lib/core/request.js:3', 'undici'],
    ['wasm-function[3] undici', 'undici'],
    ['f @b/c/src/d.js:4', 'other packages'],
    ['steps', 'other packages'],
    ['emit node:events', 'Node'],
    ['writev', 'V8 and native'],
  ])
  expect(totalOf(root)).toBe(100)
  expect(sharesOf(root)).toEqual({
    operator: 0.1,
    undici: 0.25,
    'other packages': 0.3,
    Node: 0.15,
    'V8 and native': 0.2,
  })
})

test('CPU is counted in samples, without those of an idle process', () => {
  const node = (id: number, name: string, hitCount: number, children: number[] = []): Profiler.ProfileNode => ({
    id,
    callFrame: call(name),
    hitCount,
    children,
  })
  const nodes = [node(1, '(root)', 0, [2, 3]), node(2, '(idle)', 900), node(3, 'run', 1, [4]), node(4, 'writev', 2)]
  const write = { name: 'writev', origin: 'V8 and native', self: 2, children: [] }
  const run = { name: 'run', origin: 'V8 and native', self: 1, children: [write] }
  const root = { name: '(root)', origin: 'V8 and native', self: 0, children: [run] }
  expect(cpuFrames({ nodes, startTime: 0, endTime: 0 }, locate)).toEqual(root)
})
