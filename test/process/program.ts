/** The program as a shell sees it: arguments and environment in, output and exit code out. And how to read its log. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface LogLine {
  time: string
  level: 'error' | 'warn' | 'info' | 'debug'
  message: string
  [field: string]: unknown
}

const ROOT = join(import.meta.dirname, '..', '..')
const TIMEOUT_MS = 60_000

/** Runs the operator until it ends by itself; nothing of our own environment but PATH reaches it. */
export function runToEnd(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const argv = ['--disable-warning=ExperimentalWarning', 'src/main.ts', ...args]
  const options = { cwd: ROOT, env: { PATH: process.env.PATH, ...env }, timeout: TIMEOUT_MS }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else reject(new Error(`it did not end by itself:\n${stdout}${stderr}`))
    })
  })
}

/** Every line of a log; throws on one that is not a JSON object with time, level and message. */
export function linesOf(log: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const record = parse(line)
      const { time, level, message } = record ?? {}
      if (record && typeof message === 'string' && typeof level === 'string' && !Number.isNaN(Date.parse(`${time}`))) {
        return record
      }
      throw new Error(`not a line of the log: ${line}`)
    })
}

/** What somebody who is woken at night by the log would see. */
export function troubleIn(log: string): LogLine[] {
  return linesOf(log).filter(({ level }) => level === 'warn' || level === 'error')
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
