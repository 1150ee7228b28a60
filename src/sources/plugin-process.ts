/**
 * One run of a plugin: without a shell, in an environment of its own, within limits. It gets its question by stdin, so that
 * no secret is among its arguments. What it writes to stderr goes nowhere, since it may hold secrets.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SourceProblem } from './source-problem.ts'

export interface PluginCall {
  /** What people call it. */
  plugin: string
  /** Absolute path. */
  file: string
  args: readonly string[]
  input: string
  /** Names of variables that it gets of our environment. */
  env: readonly string[]
}

export interface PluginEnd {
  exitCode: number
  stdout: Buffer
}

const pluginLimits = { milliseconds: 30_000, bytes: 1024 * 1024 }

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Runs it to its end; then, and when it is cut short, nothing is left of its process group and its folder.
 * @throws SourceProblem when it does not end by itself with an exit code, whatever that is; the reason of `signal` when
 *   that is aborted
 */
export async function runPlugin(call: PluginCall, signal: AbortSignal, limits = pluginLimits): Promise<PluginEnd> {
  signal.throwIfAborted()
  const home = await privateFolder()
  try {
    return await run(call, home, signal, limits)
  } finally {
    await remove(home, call)
  }
}

function run(call: PluginCall, home: string, signal: AbortSignal, limits: typeof pluginLimits): Promise<PluginEnd> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const child = started(call, home)
    const chunks: Buffer[] = []
    let size = 0
    let failure: unknown
    const cut = (reason: unknown) => {
      failure ??= reason
      // Its number may be another's when it has ended. A grandchild in a group of its own may still hold the other ends.
      if (child.exitCode === null && child.signalCode === null) killGroup(child)
      child.stdin?.destroy()
      child.stdout?.destroy()
    }
    const onAbort = () => cut(signal.reason)
    const timer = setTimeout(() => cut(tooSlow(call, limits.milliseconds)), limits.milliseconds)
    signal.addEventListener('abort', onAbort)
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    child.once('error', (error) => {
      done()
      reject(notStarted(call, error))
    })
    child.once('exit', () => killGroup(child))
    child.once('close', (exitCode, endedBy) => {
      done()
      if (failure !== undefined) reject(failure)
      else if (exitCode === null) reject(killed(call, endedBy))
      else resolve({ exitCode, stdout: Buffer.concat(chunks) })
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limits.bytes) cut(tooLarge(call, limits.bytes))
      else chunks.push(chunk)
    })
    child.stdout?.on('error', (error) =>
      cut(unavailable(`Plugin ${call.plugin} cannot be read from (${codeOf(error)}).`)),
    )
    child.stdin?.on('error', () => {}) // It need not read to the end, or at all.
    child.stdin?.end(call.input)
  })
}

/** In a process group of its own. @throws SourceProblem */
function started(call: PluginCall, home: string): ChildProcess {
  const named = Object.fromEntries(call.env.map((name) => [name, process.env[name]]))
  const env = { PATH: path, HOME: home, TMPDIR: home, ...named }
  try {
    return spawn(call.file, call.args, { cwd: home, env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  } catch (error) {
    throw notStarted(call, error)
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

/** Readable for nobody else. @throws SourceProblem */
async function privateFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), 'regcred-plugin-'))
  } catch (error) {
    throw unavailable(`No folder can be made for plugins (${codeOf(error)}); give the operator a writable /tmp.`)
  }
}

/** A folder that its processes still write to while they are being killed is not gone at the first attempt. @throws SourceProblem */
async function remove(home: string, { plugin }: PluginCall): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 5 }
  try {
    // Caches, such as those of Go, are read-only also for whoever has made them.
    await rm(home, options).catch(() => makeWritable(home).then(() => rm(home, options)))
  } catch (error) {
    throw unavailable(`What plugin ${plugin} wrote cannot be removed (${codeOf(error)}); empty the operator's /tmp.`)
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name))
  }
}

function notStarted({ plugin }: PluginCall, error: unknown): SourceProblem {
  return unavailable(
    `Plugin ${plugin} cannot be started (${codeOf(error)}); it must be a program for this machine, or a script whose interpreter is there.`,
  )
}

function tooSlow({ plugin }: PluginCall, milliseconds: number): SourceProblem {
  return unavailable(`Plugin ${plugin} was not done within ${milliseconds / 1000} s and has been ended.`)
}

function tooLarge({ plugin }: PluginCall, bytes: number): SourceProblem {
  return new SourceProblem('IssuerInvalid', `Plugin ${plugin} wrote more than ${bytes} bytes and has been ended.`)
}

function killed({ plugin }: PluginCall, endedBy: NodeJS.Signals | null): SourceProblem {
  return unavailable(`Plugin ${plugin} was ended by ${endedBy}.`)
}

function unavailable(message: string): SourceProblem {
  return new SourceProblem('IssuerUnavailable', message)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'
}
