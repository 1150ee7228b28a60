#!/usr/bin/env node
/** kubectl-regcred, which kubectl runs for `kubectl regcred`. */
import { CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { tell } from './output.ts'
import { type ExitCode, sayingOf } from './problem.ts'
import { createProgram } from './program.ts'

/** Whoever reads the output may have enough of it, as `head` has. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2))

/** commander has written its own words already. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  tell(sayingOf(error))
  return 2
}

try {
  await createProgram(packageJson.version).parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
