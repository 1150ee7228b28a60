/** Runs the cases of one target, in a thread that can be ended when a case does not end. */
import { parentPort, workerData } from 'node:worker_threads'
import { Random } from '../support/random.ts'
import { leakIn } from './canary.ts'
import type { Target } from './target.ts'

/** What the thread is given. */
export interface Work {
  /** Of a module that exports `targets`. */
  module: string
  target: string
  /** Of the first case; the next one has the next. */
  seed: number
  cases: number
  /** The seed of the case under way. */
  current: Int32Array
}

/** What it says at its end: how many cases were read, how many refused, and the first that failed. */
export interface Result {
  read: number
  refused: number
  failure: { seed: number; what: string } | undefined
}

const { module, target: name, seed: first, cases, current }: Work = workerData
const { targets }: { targets: Record<string, Target> } = await import(module)
const target = targets[name]
if (target === undefined) throw new Error(`${module} has no target ${name}`)

const untouched = stateOf(Object.prototype)
const clean = new Set<string>()
const result: Result = { read: 0, refused: 0, failure: undefined }
for (let seed = first; seed < first + cases && result.failure === undefined; seed++) {
  current[0] = seed
  const what = run(target, target.make(new Random(seed)))
  if (what !== undefined) result.failure = { seed, what }
}
parentPort?.postMessage(result)

/** @returns what is wrong */
function run({ read, declared }: Target, bytes: Buffer): string | undefined {
  let wrong: string | undefined
  try {
    wrong = read(bytes)
    result.read++
  } catch (error) {
    result.refused++
    // What it says is not told: it may be what must not be told.
    if (!(error instanceof Error) || !declared.some((type) => error instanceof type)) {
      wrong = `it threw ${error instanceof Error ? error.constructor.name : typeof error}, which it does not declare`
    }
    const spelling = leakOf(error)
    if (spelling !== undefined) wrong = `what it threw gives the secret away ${spelling}`
  }
  return stateOf(Object.prototype) === untouched ? wrong : 'Object.prototype is changed'
}

/** In message, stack and all causes. */
function leakOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return error === undefined ? undefined : leakIn(String(error))
  const text = `${error.message}\n${error.stack}`
  const spelling = clean.has(text) ? undefined : leakIn(text)
  if (spelling === undefined && clean.size < 10_000) clean.add(text)
  return spelling ?? leakOf(error.cause)
}

function stateOf(object: object): string {
  return Reflect.ownKeys(object).map(String).join()
}
