/**
 * Where the operator's CPU and its allocations go while a login is rotated: `npm run bench:profile` with 1,000 namespaces,
 * which writes flame graphs to bench/results; `npm run bench:profile -- 100` only prints the shares.
 */
import { readFileSync } from 'node:fs'
import type { HeapProfiler, Profiler } from 'node:inspector'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '../test/cluster/wait.ts'
import { flameGraphOf } from './flame-graph.ts'
import { allocationFrames, cpuFrames, type Locate, origins, sharesOf } from './frames.ts'
import { count, percent, table } from './markdown.ts'
import { writeResults } from './results.ts'
import { login, type Rollout, settled, whileRolledOut } from './rollout.ts'
import { root, Stage } from './stage.ts'

const rotations = 3
/** Of the login; the first is rolled out before there is a profile. */
let version = 1
const [asked] = process.argv.slice(2)
const namespaces = Number(asked ?? 1_000)
if (!(Number.isInteger(namespaces) && namespaces > 0)) throw new Error('usage: npm run bench:profile -- [NAMESPACES]')

const stage = await Stage.set()
await stage.grow(namespaces)
const profiler = { flags: [`--import=${join(root, 'bench', 'profiler.ts')}`], env: { PROFILES: stage.cluster.dir } }
const { cpu, allocations } = await whileRolledOut(
  stage,
  async (rollout) => ({
    cpu: cpuFrames(await profiled<Profiler.Profile>(rollout, 'cpu.json'), sourceMaps()),
    allocations: allocationFrames(
      await profiled<HeapProfiler.SamplingHeapProfile>(rollout, 'allocations.json'),
      sourceMaps(),
    ),
  }),
  profiler,
)
await stage.strike()

const shares = { cpu: sharesOf(cpu), allocations: sharesOf(allocations) }
const rows = origins.map((each) => [each, percent(shares.cpu[each]), percent(shares.allocations[each])])
console.log(table(['origin', 'CPU', 'allocated'], rows))
if (asked === undefined) {
  const what = `${rotations} rotations in ${count(namespaces)} namespaces`
  await writeResults({
    'cpu.svg': flameGraphOf(`CPU of ${what}`, cpu, (value) => `${count(value)} samples`),
    'allocations.svg': flameGraphOf(`Allocations of ${what}`, allocations, (value) => `${count(value / 1024)} KiB`),
  })
}

/** What bench/profiler.ts writes to the file about some rotations. */
async function profiled<T>({ operator, source }: Rollout, file: string): Promise<T> {
  operator.signal('SIGUSR2')
  for (let rotation = 0; rotation < rotations; rotation++) {
    await settled(stage, () => stage.lab.rotate(source, login(++version)))
  }
  operator.signal('SIGUSR2')
  return await eventually((): NonNullable<T> => JSON.parse(readFileSync(join(stage.cluster.dir, file), 'utf8')))
}

/** Looks up in the maps beside the files of the bundle, which are read once. */
function sourceMaps(): Locate {
  const maps = new Map<string, SourceMap>()
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.endsWith('.mjs')) return undefined
    const map = maps.get(url) ?? new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')))
    maps.set(url, map)
    const entry = map.findEntry(lineNumber, columnNumber)
    return 'originalSource' in entry ? { file: entry.originalSource, line: entry.originalLine + 1 } : undefined
  }
}
