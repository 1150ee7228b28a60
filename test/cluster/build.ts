/**
 * Builds the control plane from its Go module (`control-plane/`), which needs
 * nothing but a Go module proxy. About six minutes on two cores with empty
 * caches, seconds with Go's own caches filled.
 */
import { execFile, spawn } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { startGuard } from './guard.ts'
import { type Say, withStatus } from './progress.ts'
import { APPLETS, GO_VERSION, KUBERNETES_VERSION, MODULE_DIR } from './versions.ts'

/** Without these the API server calls itself v0.0.0, and version-dependent feature gates misbehave. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.')
  const version = Object.entries({ gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor })
  // The servers read the first, the user agents of the clients the second.
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
  const set = packages.flatMap((path) => version.map(([name, value]) => `-X ${path}.${name}=${value}`))
  return ['-s -w', ...set].join(' ')
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}

/**
 * GOTOOLCHAIN for the build: the user's own setting when the installed Go is
 * new enough, else `auto`, by which Go fetches the version that go.mod asks for.
 */
async function toolchain(env: NodeJS.ProcessEnv, say: Say): Promise<string | undefined> {
  let installed: string
  try {
    const options = { env: { ...env, GOTOOLCHAIN: 'local' }, cwd: tmpdir() }
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], options)
    installed = stdout.trim().replace(/^go/, '')
  } catch {
    throw new Error('Go is not installed')
  }
  if (!isOlder(installed, GO_VERSION)) return env.GOTOOLCHAIN
  if (isOlder(installed, '1.21')) throw new Error(`the installed Go ${installed} is older than ${GO_VERSION}`)
  say(`Go ${installed} is older than ${GO_VERSION}: letting it fetch that toolchain`)
  return 'auto'
}

/** Runs `go`, hands each output line to `onLine`, and throws the last lines if it fails. */
async function go(args: string[], env: NodeJS.ProcessEnv, onLine: (line: string) => void): Promise<void> {
  const child = spawn('go', args, { cwd: MODULE_DIR, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const guard = startGuard()
  if (child.pid !== undefined) guard.watch(child.pid)
  const tail: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      onLine(line)
      tail.push(line)
      if (tail.length > 10) tail.shift()
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (child.pid !== undefined) guard.forget(child.pid)
  guard.end()
  if (code !== 0) throw new Error(`go ${args[0]} failed:\n  ${tail.join('\n  ')}`)
}

/** Fills the empty folder `into` with all applets, or throws a sentence that says why not. */
export async function build(into: string, say: Say, userEnv: NodeJS.ProcessEnv = process.env): Promise<void> {
  const GOTOOLCHAIN = await toolchain(userEnv, say)
  const env = { ...userEnv, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', ...(GOTOOLCHAIN && { GOTOOLCHAIN }) }

  say(
    `Building Kubernetes ${KUBERNETES_VERSION} from Go modules; with empty caches this takes 6 to 8 minutes on two cores`,
  )
  let packages = 0
  await withStatus(
    say,
    () => 'Fetching the Go modules',
    () => go(['list', '-deps', '.'], env, (line) => line.startsWith('go: ') || packages++),
  )
  // -v prints each package that is compiled; those in Go's cache are not printed.
  let compiled = 0
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags(), '-o', join(into, 'control-plane')]
  await withStatus(
    say,
    () => `Compiling: ${compiled} of at most ${packages} packages`,
    () => go(['build', ...flags, '.'], env, (line) => line.startsWith('go: ') || compiled++),
  )
  for (const applet of APPLETS) await symlink('control-plane', join(into, applet))
}
