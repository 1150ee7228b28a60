/**
 * What the operator costs: `npm run bench` measures everything, with 1,000, 5,000 and 10,000 namespaces, and writes
 * bench/results; `npm run bench -- 1000` only prints what can be measured with so many. The bundled operator on a real
 * control plane, as its own ServiceAccount; times and requests are those of the API server's audit log, memory and CPU
 * those of /proc.
 */
import { availableParallelism, cpus, totalmem } from 'node:os'
import packageJson from '../package.json' with { type: 'json' }
import { elapsed, sayOn, withStatus } from '../test/cluster/progress.ts'
import { ETCD_VERSION, KUBERNETES_VERSION } from '../test/cluster/versions.ts'
import { measureCrowd } from './crowd.ts'
import { measureGrowth } from './growth.ts'
import { measureIdle } from './idle.ts'
import { count } from './markdown.ts'
import { plotOf } from './plot.ts'
import { type About, type Results, reportOf } from './report.ts'
import { writeResults } from './results.ts'
import { measureFairness, measureService } from './service.ts'
import { Stage } from './stage.ts'
import { measureThroughput } from './throughput.ts'

const say = sayOn(process.stderr)
const begin = Date.now()
const asked = process.argv.slice(2)
const sizes = (asked.length > 0 ? asked : ['1000', '5000', '10000']).map(Number)
if (!sizes.every((size) => Number.isInteger(size) && size > 0))
  throw new Error('usage: npm run bench -- [NAMESPACES …]')
sizes.sort((a, b) => a - b)
const largest = sizes.at(-1)

const measured: Omit<Results, 'about'> = { throughput: [] }
const stage = await Stage.set()
for (const size of sizes) {
  const namespaces = `${count(size)} namespaces`
  await step(`Making ${namespaces}`, () => stage.grow(size))
  // The less time one takes, the more it is at the mercy of what else the machine does.
  const rounds = size <= 1_000 ? 5 : size < 10_000 ? 3 : 2
  const beside = `Operator and bare loop, ${namespaces}, ${rounds} rounds`
  measured.throughput.push(await step(beside, () => measureThroughput(stage, rounds)))
  if (size === 1_000) measured.growth = await step('200 credentials', () => measureGrowth(stage, 200))
  if (size === 5_000) measured.service = await step('New namespaces', () => measureService(stage, 60))
  if (size === 10_000) measured.fairness = await step('New namespaces and rotations', () => measureFairness(stage, 30))
  if (size === largest) measured.idle = await step('A minute of nothing', () => measureIdle(stage))
}
await stage.strike()
if (sizes.includes(1_000)) {
  const crowd = { namespaces: 1_000, secrets: 20_000, pods: 50_000 }
  measured.crowd = await step('Memory in a full cluster', () => measureCrowd(crowd))
}

const results: Results = { about: about(), ...measured }
if (asked.length > 0) console.log(reportOf(results, undefined))
else await write(results)
say(`Measured in ${results.about.duration}`)

async function write(results: Results): Promise<void> {
  const files = {
    'README.md': reportOf(results, 'throughput.svg'),
    'throughput.svg': plotOf(results.throughput),
    'results.json': `${JSON.stringify(results, undefined, 2)}\n`,
  }
  await writeResults(files)
  say(`Written: ${Object.keys(files).join(', ')} in bench/results`)
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now()
  const result = await withStatus(say, () => what, work)
  say(`${what} (${elapsed(Date.now() - start)})`)
  return result
}

function about(): About {
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(asked.length > 0 ? ['--', ...asked] : [])].join(' '),
    duration: elapsed(Date.now() - begin),
    operator: packageJson.version,
    node: process.version,
    kubernetes: KUBERNETES_VERSION,
    etcd: ETCD_VERSION,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  }
}
