/**
 * `node test/run.ts`: all tests, in two runs of jest side by side where there are two cores, each with half of the files and a
 * control plane of its own. Most of their time they wait for what the operator does next. Within a run one file follows
 * another, since one operator at a time acts on its control plane.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const options = process.argv.slice(2)
/** What is asked for by name may be a single file. */
const runs = options.length > 0 ? 1 : Math.min(2, availableParallelism())

const codes = await Promise.all(Array.from({ length: runs }, (_, index) => run(index + 1)))
process.exitCode = codes.find((code) => code !== 0) ?? 0

/** @returns the exit code of jest */
async function run(shard: number): Promise<number> {
  const args = ['run', '--silent', 'test:only', '--', `--shard=${shard}/${runs}`, ...options]
  const jest = spawn('npm', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  passOn(jest.stdout, process.stdout)
  passOn(jest.stderr, process.stderr)
  const [code] = await once(jest, 'close')
  return code ?? 1
}

/** By whole lines, so that those of two runs stay whole. */
function passOn(from: Readable, to: NodeJS.WritableStream): void {
  createInterface(from).on('line', (line) => to.write(`${line}\n`))
}
