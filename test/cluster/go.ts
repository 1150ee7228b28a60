/** Builds a program from a Go module of this repository, which needs nothing but Go and a Go module proxy. */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { runCommand } from './command.ts'
import { type Say, withStatus } from './progress.ts'
import { pinned } from './versions.ts'

export interface GoProgram {
  /** Absolute path of the module's go.mod, or of a file beside it that takes its place (`-modfile`). */
  goMod: string
  /** Import path of the command; default: the module's own `main.go`. */
  path?: string
  /** Values of string variables by their full names (`-X`). */
  variables?: Record<string, string>
  /** For the user: its name and version, and how long it takes with empty caches. */
  about: { title: string; takes: string }
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}

/**
 * GOTOOLCHAIN for the build: the user's own setting when the installed Go is
 * new enough, else `auto`, by which Go fetches the version that go.mod asks for.
 */
async function toolchain(wanted: string, env: NodeJS.ProcessEnv, say: Say): Promise<string | undefined> {
  let installed: string
  try {
    const options = { env: { ...env, GOTOOLCHAIN: 'local' }, cwd: tmpdir() }
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], options)
    installed = stdout.trim().replace(/^go/, '')
  } catch {
    throw new Error('Go is not installed')
  }
  if (!isOlder(installed, wanted)) return env.GOTOOLCHAIN
  if (isOlder(installed, '1.21')) throw new Error(`the installed Go ${installed} is older than ${wanted}`)
  say(`Go ${installed} is older than ${wanted}: letting it fetch that toolchain`)
  return 'auto'
}

/** Makes the executable `output`, static and without what only debuggers read, or throws a sentence that says why not. */
export async function buildGo(
  { goMod, path = '.', variables = {}, about }: GoProgram,
  output: string,
  say: Say,
  userEnv: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const GOTOOLCHAIN = await toolchain(pinned(goMod, /^go (\S+)$/m), userEnv, say)
  const env = { ...userEnv, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', ...(GOTOOLCHAIN && { GOTOOLCHAIN }) }
  const go = (verb: string, args: string[], onLine: (line: string) => void): Promise<void> =>
    runCommand(`go ${verb}`, 'go', [verb, `-modfile=${goMod}`, ...args], { env, cwd: dirname(goMod), onLine })

  say(`Building ${about.title} from Go modules; with empty caches this takes ${about.takes} on two cores`)
  let packages = 0
  await withStatus(
    say,
    () => 'Fetching the Go modules',
    () => go('list', ['-deps', path], (line) => line.startsWith('go: ') || packages++),
  )
  // -v prints each package that is compiled; those in Go's cache are not printed.
  let compiled = 0
  const linkerFlags = ['-s -w', ...Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`)].join(' ')
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags, '-o', output]
  await withStatus(
    say,
    () => `Compiling: ${compiled} of at most ${packages} packages`,
    () => go('build', [...flags, path], (line) => line.startsWith('go: ') || compiled++),
  )
}
