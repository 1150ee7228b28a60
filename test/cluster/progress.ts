/**
 * Progress lines for steps that take minutes.
 *
 * A plain line stays on the screen. A status line tells how far a step is: on a
 * terminal it is overwritten in place, elsewhere (a CI log) it is printed only
 * every 15 s, so that the log shows life without being flooded.
 */

/** Prints one line without its line end. `status` marks a line that the next one may replace. */
export type Say = (line: string, kind?: 'status') => void

const QUIET_MS = 15_000

/** The part of a writable stream that is needed here; `isTTY` as on process.stderr. */
export interface Screen {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export function sayOn(screen: Screen, now: () => number = Date.now): Say {
  let statusShown = false
  let lastLine = now()
  return (line, kind) => {
    if (kind === 'status' && screen.isTTY !== true) {
      if (now() - lastLine < QUIET_MS) return
      screen.write(`${line}\n`)
    } else if (kind === 'status') {
      screen.write(`\r\u001b[K${line.slice(0, (screen.columns ?? 80) - 1)}`)
      statusShown = true
    } else {
      screen.write(`${statusShown ? '\r\u001b[K' : ''}${line}\n`)
      statusShown = false
    }
    lastLine = now()
  }
}

/** `75_000` → `1 min 15 s`. */
export function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Runs a step and says `describe()` with the elapsed time once a second until the step ends. */
export async function withStatus<T>(say: Say, describe: () => string, step: () => Promise<T>): Promise<T> {
  const start = Date.now()
  const timer = setInterval(() => say(`${describe()} (${elapsed(Date.now() - start)})`, 'status'), 1000)
  try {
    return await step()
  } finally {
    clearInterval(timer)
  }
}
