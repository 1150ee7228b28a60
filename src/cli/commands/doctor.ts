/** `kubectl regcred doctor`: whether the installation is as it has to be. */
import type { Command } from 'commander'
import { escapeControls } from '../../telemetry/text-line.ts'
import { type Connection, versionOf, withConnection } from '../connection.ts'
import { diagnose } from '../doctor/diagnose.ts'
import type { Check } from '../doctor/facts.ts'
import { readFacts } from '../doctor/read-facts.ts'
import { type Colour, coloured, outputFlag, print, rendered } from '../output.ts'
import type { ExitCode } from '../problem.ts'

interface DoctorFlags {
  output?: 'json' | 'yaml'
}

const help = `
What you may not look at is told as unknown. Exit codes: 0 there are no errors, 1 there are, 2 the cluster cannot be asked.`

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check the installation: CRD, operator, leader, clocks, RBAC, policies, credentials')
    .addOption(outputFlag(['json', 'yaml']))
    .addHelpText('after', help)
    .action((flags: DoctorFlags, command: Command) =>
      withConnection(command, (connection) => doctor(connection, versionOf(command), flags)),
    )
}

async function doctor(connection: Connection, version: string, { output }: DoctorFlags): Promise<ExitCode> {
  const checks = diagnose(await readFacts(connection, version))
  const count = (level: Check['level']) => checks.filter((check) => check.level === level).length
  const summary = { errors: count('error'), warnings: count('warning'), unknown: count('unknown') }
  if (output) print(rendered({ kind: 'Diagnosis', summary, checks }, output))
  else print(`${checks.flatMap(lines).join('\n')}\n\n${sum(summary)}\n`)
  return summary.errors > 0 ? 1 : 0
}

const colours: Readonly<Record<Check['level'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  error: 'red',
  unknown: 'dim',
}
const width = 'unknown'.length + 3

function lines({ name, level, message, cure }: Check): string[] {
  const first = `${coloured(level, colours[level])}${' '.repeat(width - level.length)}${name}: ${escapeControls(message)}`
  return cure === undefined ? [first] : [first, `${' '.repeat(width)}  ${cure}`]
}

function sum({ errors, warnings, unknown }: { errors: number; warnings: number; unknown: number }): string {
  const part = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  const found =
    errors + warnings === 0 ? 'No problems were found' : `${part(errors, 'error')}, ${part(warnings, 'warning')}`
  return `${found}.${unknown > 0 ? ` ${part(unknown, 'thing')} could not be looked at.` : ''}`
}
