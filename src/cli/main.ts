#!/usr/bin/env node
/** kubectl-regcred, which kubectl runs for `kubectl regcred`. */
import { basename } from 'node:path'
import { CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { complete } from './completion/complete.ts'
import { print, tell } from './output.ts'
import { type ExitCode, Problem, sayingOf } from './problem.ts'
import { createProgram } from './program.ts'

/** Whoever reads the output may have enough of it, as `head` has. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2))

/** commander has written its own words already. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  tell(sayingOf(error))
  return 2
}

/** kubectl runs us as kubectl_complete-regcred to complete what is typed after `kubectl regcred`; shells say __complete. */
function wordsToComplete(): string[] | undefined {
  const [, file = '', first, ...rest] = process.argv
  if (basename(file).startsWith('kubectl_complete-')) return process.argv.slice(2)
  return first === '__complete' ? rest : undefined
}

const program = createProgram(packageJson.version)
try {
  if (Number.parseInt(process.versions.node, 10) < 24) {
    throw new Problem(`kubectl-regcred needs Node.js 24 or newer, and this is ${process.versions.node}`)
  }
  const words = wordsToComplete()
  const [, , ...args] = process.argv
  if (words !== undefined) print(await complete(program, words))
  else await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' })
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
