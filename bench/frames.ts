/** V8's profiles as trees of frames that say where each function is from. */
import type { HeapProfiler, Profiler, Runtime } from 'node:inspector'

/** The last is what has no source: garbage collection, and what V8 and Node have built in, such as `Set` and `writev`. */
export const origins = ['operator', 'undici', 'other packages', 'Node', 'V8 and native'] as const
export type Origin = (typeof origins)[number]

export interface Frame {
  name: string
  origin: Origin
  /** Without that of the children. */
  self: number
  children: Frame[]
}

/** The file of the sources, and its line, that the function of a bundle is from. */
export type Locate = (callFrame: Runtime.CallFrame) => { file: string; line: number } | undefined

/**
 * In samples, without those of an idle process. Not in time: what lies between two samples is the wait for a core as well, and
 * the control plane has the cores for long after each `writev`.
 */
export function cpuFrames({ nodes }: Profiler.Profile, locate: Locate): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const frameOf = ({ callFrame, hitCount = 0, children = [] }: Profiler.ProfileNode): Frame => {
    const below = children.map((child) => byId.get(child)).filter((node) => node !== undefined)
    const busy = below.filter((node) => node.callFrame.functionName !== '(idle)')
    return { ...described(callFrame, locate), self: hitCount, children: busy.map(frameOf) }
  }
  const [root] = nodes
  if (root === undefined) throw new Error('an empty profile')
  return frameOf(root)
}

/** In bytes on the heap of V8, which the contents of Buffers are not. */
export function allocationFrames({ head }: HeapProfiler.SamplingHeapProfile, locate: Locate): Frame {
  const frameOf = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): Frame => ({
    ...described(callFrame, locate),
    self: selfSize,
    children: children.map(frameOf),
  })
  return frameOf(head)
}

export function totalOf({ self, children }: Frame): number {
  return children.reduce((sum, child) => sum + totalOf(child), self)
}

/** The parts of all that functions of each origin have themselves, between 0 and 1. */
export function sharesOf(root: Frame): Record<Origin, number> {
  const sums = { operator: 0, undici: 0, 'other packages': 0, Node: 0, 'V8 and native': 0 }
  const add = ({ origin, self, children }: Frame) => {
    sums[origin] += self
    children.forEach(add)
  }
  add(root)
  const total = totalOf(root)
  for (const origin of origins) sums[origin] /= total
  return sums
}

function described(callFrame: Runtime.CallFrame, locate: Locate): { name: string; origin: Origin } {
  const { url, functionName } = callFrame
  const name = functionName || '(anonymous)'
  if (url === '') return { name, origin: 'V8 and native' }
  if (url.startsWith('node:')) return { name: `${name} ${url}`, origin: 'Node' }
  if (url.startsWith('wasm:')) return { name: `${name} undici`, origin: 'undici' } // its parser, the only one
  const place = locate(callFrame)
  if (place === undefined) return { name, origin: 'other packages' } // the profiler's own
  const file = place.file.replace(/^.*node_modules\/|^(\.\.\/)+/, '')
  return { name: `${name} ${file}:${place.line}`, origin: originOf(file) }
}

/** @param file below src or node_modules */
function originOf(file: string): Origin {
  if (file.startsWith('src/')) return 'operator'
  return file.startsWith('undici/') ? 'undici' : 'other packages'
}
