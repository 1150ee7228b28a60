/** Runs a command that takes minutes: guarded, and heard while it runs. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { startGuard } from './guard.ts'

export interface CommandOptions {
  env: NodeJS.ProcessEnv
  cwd?: string
  /** Gets each line of its output. */
  onLine?: (line: string) => void
}

/** Fulfilled when it ends well; else throws `what` and the last lines that it printed. */
export async function runCommand(
  what: string,
  binary: string,
  args: string[],
  { env, cwd, onLine = () => {} }: CommandOptions,
): Promise<void> {
  const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd && { cwd }) })
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
  if (code !== 0) throw new Error(`${what} failed:\n  ${tail.join('\n  ')}`)
}
