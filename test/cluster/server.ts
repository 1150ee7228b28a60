/**
 * One server process: started with its output in a file, guarded, signalled by
 * its process id, and started again with the same arguments.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Guard } from './guard.ts'

/** How it ended: an exit code or a signal. `failure` when it could not even be started. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  failure?: string
}

export interface Server {
  /** Process id, or undefined while it does not run. */
  readonly pid: number | undefined
  /** Starts it; fulfilled when it is ready, rejected with its last log lines if it ends or is not ready in 2 minutes. */
  start(): Promise<void>
  /** Fulfilled when it has ended, in whatever way. */
  exited(): Promise<Exit>
  /** Sends a signal (default SIGKILL) and waits until it is gone; without effect when it is gone already. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** SIGSTOP freezes it with its connections open, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void
}

export interface ServerOptions {
  /** For messages. */
  name: string
  binary: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** What it writes is appended here. */
  logFile: string
  guard: Guard
  /** One look whether it is ready: rejects if not yet. */
  ready(): Promise<unknown>
}

const READY_TIMEOUT_MS = 120_000
const POLL_MS = 50

/** The last lines of a log file. */
function logTail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
}

export function createServer(options: ServerOptions): Server {
  const { name, binary, args, env = process.env, cwd, logFile, guard, ready } = options
  let child: ChildProcess | undefined
  let exited: Promise<Exit> = Promise.resolve({ code: null, signal: null })

  function launch(): void {
    const log = openSync(logFile, 'a')
    // detached: a Ctrl-C at the terminal reaches only our own process, whose end the guard sees.
    const started = spawn(binary, args, { stdio: ['ignore', log, log], detached: true, env, ...(cwd && { cwd }) })
    closeSync(log)
    // A script that is done may end without stopping its servers; the guard does.
    started.unref()
    const { pid } = started
    if (pid !== undefined) guard.watch(pid)
    child = started
    exited = new Promise((resolve) => {
      const gone = (exit: Exit): void => {
        if (pid !== undefined) guard.forget(pid)
        child = undefined
        resolve(exit)
      }
      started.once('error', (error) => gone({ code: null, signal: null, failure: error.message }))
      started.once('exit', (code, signal) => gone({ code, signal }))
    })
  }

  async function untilReady(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS
    // Node tells only later that a program could not be started, and until then it looks like a running one.
    if (child?.pid === undefined) await exited
    for (;;) {
      const reason = await ready().then(
        () => undefined,
        (error: Error) => error.message,
      )
      if (child === undefined) {
        const { failure, code, signal } = await exited
        throw new Error(`${name} ended (${failure ?? signal ?? `exit code ${code}`}):\n${logTail(logFile)}`)
      }
      if (reason === undefined) return
      if (Date.now() > deadline) {
        throw new Error(`${name} is not ready after ${READY_TIMEOUT_MS / 1000} s (${reason}):\n${logTail(logFile)}`)
      }
      await sleep(POLL_MS)
    }
  }

  return {
    get pid() {
      return child?.pid
    },
    start() {
      if (child !== undefined) throw new Error(`${name} runs already`)
      launch()
      return untilReady()
    },
    exited: () => exited,
    stop(signal = 'SIGKILL') {
      child?.ref()
      child?.kill(signal)
      return exited
    },
    signal(signal) {
      child?.kill(signal)
    },
  }
}
