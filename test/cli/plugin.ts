/** Runs the plugin as its users have it: the one file that the build makes, in a process of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Cluster, type ClusterState, STATE_FILE } from '../cluster/access.ts'
import { sharedCluster } from '../cluster/shared.ts'

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** File path; default the admin's. */
  kubeconfig?: string
  /** Standard input. */
  input?: string | Buffer
  env?: Record<string, string>
}

const root = join(import.meta.dirname, '..', '..')
const timeoutMs = 60_000

/** The folder with `kubectl-regcred` and `kubectl_complete-regcred`, built once a jest run. */
export async function pluginFolder(cluster: Cluster = sharedCluster()): Promise<string> {
  const folder = join(cluster.dir, 'plugin')
  if (existsSync(folder)) return folder
  const built = mkdtempSync(join(cluster.dir, 'plugin-'))
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.ts'), built])
  for (const name of ['kubectl-regcred', 'kubectl_complete-regcred']) {
    symlinkSync('kubectl-regcred.mjs', join(built, name))
  }
  renameSync(built, folder)
  return folder
}

/** `kubectl-regcred` with these arguments, until it ends by itself. Nothing of our own environment but PATH reaches it. */
export async function regcred(args: string[], options: RunOptions = {}): Promise<Outcome> {
  const bundle = join(await pluginFolder(), 'kubectl-regcred.mjs')
  return await run(process.execPath, [bundle, ...args], environment(options), options.input)
}

/** The same as `kubectl regcred`, by the real kubectl. */
export async function kubectlWithPlugin(args: string[], options: RunOptions = {}): Promise<Outcome> {
  const { dir } = sharedCluster()
  const { binaries } = JSON.parse(readFileSync(join(dir, STATE_FILE), 'utf8')) as ClusterState
  const env = environment(options)
  const path = [await pluginFolder(), join(process.execPath, '..'), env.PATH].join(':')
  return await run(binaries.kubectl, args, { ...env, PATH: path, KUBERC: 'off' }, options.input)
}

/** One that goes on, such as `status --watch`; the caller ends it. */
export async function startRegcred(args: string[], options: RunOptions = {}): Promise<Started> {
  const bundle = join(await pluginFolder(), 'kubectl-regcred.mjs')
  const child = spawn(process.execPath, [bundle, ...args], {
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return { child, read: () => output }
}

export interface Started {
  child: ChildProcess
  /** What it has written so far, to either stream. */
  read(): string
}

function environment({ kubeconfig, env }: RunOptions): NodeJS.ProcessEnv {
  const { adminKubeconfig, dir } = sharedCluster()
  return { PATH: process.env.PATH, HOME: dir, KUBECONFIG: kubeconfig ?? adminKubeconfig, ...env }
}

function run(file: string, args: string[], env: NodeJS.ProcessEnv, input: string | Buffer = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env, timeout: timeoutMs, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else reject(new Error(`it did not end by itself:\n${stdout}${stderr}`))
    })
    child.stdin?.on('error', () => {}) // it may end without reading
    child.stdin?.end(input)
  })
}

/** Cells of a table's lines, by the three spaces between columns. */
export function cellsOf(table: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/ {3,}/).map((cell) => cell.trim()))
}
