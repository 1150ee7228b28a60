/** The program and its commands. */
import { Command } from 'commander'
import { registerCompletion } from './commands/completion.ts'
import { registerCreate } from './commands/create.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExplain } from './commands/explain.ts'
import { registerImages } from './commands/images.ts'
import { registerPlan } from './commands/plan.ts'
import { registerRefresh } from './commands/refresh.ts'
import { registerStatus } from './commands/status.ts'
import { registerVerify } from './commands/verify.ts'
import { registerWho } from './commands/who.ts'
import { connectionFlags } from './connection.ts'

/** One line a command, in the order of the help. */
const commands: readonly ((program: Command) => void)[] = [
  registerCreate,
  registerPlan,
  registerStatus,
  registerExplain,
  registerWho,
  registerImages,
  registerRefresh,
  registerVerify,
  registerDoctor,
  registerCompletion,
]

const explanation = `
Works with your own kubeconfig and rights, as kubectl does, and never prints a password or token that was not asked for.

Exit codes: 0 done, or the answer is yes; 1 the answer is no; 2 it could not be done or found out.`

export function createProgram(version: string): Command {
  const program = new Command('kubectl regcred')
    .description('Registry credentials in Kubernetes: create, check, explain and renew them.')
    .usage('COMMAND [flags]')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("See 'kubectl regcred --help' for usage.")
    .configureOutput({ outputError: (text, write) => write(withoutValue(text)) })
    .exitOverride()
    .addHelpText('after', explanation)
  for (const flag of connectionFlags) program.addOption(flag)
  for (const register of commands) register(program)
  for (const each of program.commands) {
    each.showHelpAfterError(`See 'kubectl regcred ${each.name()} --help' for usage.`)
  }
  return program
}

/** A flag that is mistyped may have a password for its value. */
function withoutValue(error: string): string {
  return error.replace(/^(error: unknown option '(?:--[^=]*(?==)|-[^-])).*'$/ms, "$1'")
}
