/** Now, and the watch over the wall clock: timers do not hear of it when that is set, or when the machine has slept. */
import { jumpBetween, type Moment } from '../model/moment.ts'

const lookMs = 10_000

export function moment(): Moment {
  return { wall: new Date(), steady: new Date(performance.timeOrigin + performance.now()) }
}

/** A time to come, by the steady clock. */
export function steadyIn(ms: number): Date {
  return new Date(moment().steady.getTime() + ms)
}

/** @param jumped told of every jump, in milliseconds, negative: back; until the signal ends it */
export function watchClock(jumped: (ms: number) => void, signal: AbortSignal): void {
  if (signal.aborted) return
  let before = moment()
  const timer = setInterval(() => {
    const now = moment()
    const ms = jumpBetween(before, now)
    before = now
    if (ms !== 0) jumped(ms)
  }, lookMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}
