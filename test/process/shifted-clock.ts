/**
 * Shifts the wall clock of the process that loads it (`--import`), as setting it would: `Date` says another time, while
 * timers and `performance` go on. By how many milliseconds stands in the file that CLOCK_FILE names.
 */
import { readFileSync } from 'node:fs'

const file = process.env.CLOCK_FILE ?? ''
const RealDate = Date
const realNow = Date.now

function now(): number {
  return realNow() + Number(readFileSync(file, 'utf8'))
}

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
