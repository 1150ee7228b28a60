/** docs/reference/cli.md says of every command what the program itself says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Argument, Command, Option } from 'commander'
import { createProgram } from '../../src/cli/program.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'cli.md'), 'utf8')
const program = createProgram('test')

/** Lines of a table, one for each flag or argument. */
function rowsOf({ registeredArguments, options }: Command): string[] {
  const cells = [...registeredArguments.map(ofArgument), ...options.map(ofOption)]
  return cells.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
}

function ofArgument(argument: Argument): string[] {
  const name = argument.variadic ? `${argument.name()}...` : argument.name()
  return [`\`${argument.required ? `<${name}>` : `[${name}]`}\``, meaningOf(argument)]
}

function ofOption(option: Option): string[] {
  return [`\`${option.flags}\``, meaningOf(option)]
}

function meaningOf({ description, argChoices, defaultValue }: Argument | Option): string {
  const choices = argChoices === undefined ? '' : `; one of ${argChoices.map((each) => `\`${each}\``).join(', ')}`
  const usual = defaultValue === undefined ? '' : `; default \`${defaultValue}\``
  return description + choices + usual
}

/** The part of the page under a heading. */
function section(heading: string): string {
  const start = page.indexOf(`\n## ${heading}\n`)
  expect(start).toBeGreaterThan(0)
  const end = page.indexOf('\n## ', start + 1)
  return page.slice(start, end < 0 ? undefined : end)
}

test.each(program.commands.map((command) => [command.name(), command] as const))(
  'the section of %s has its flags, as --help tells them, and an example with its output',
  (name, command) => {
    const text = section(name)
    const rows = text.split('\n').filter((line) => /^\| `[-<[]/.test(line))
    expect(rows).toEqual(rowsOf(command))
    expect(text).toMatch(new RegExp(`\`\`\`text\n\\$ .*kubectl regcred ${name}`))
  },
)

test('the flags of all commands stand there too', () => {
  const rows = section('Flags of every command')
    .split('\n')
    .filter((line) => /^\| `-/.test(line))
  expect(rows).toEqual(rowsOf(program))
})

test('no section is about a command that is not there', () => {
  const headings = [...page.matchAll(/^## ([a-z]\w*)$/gm)].map(([, name]) => name)
  expect(headings).toEqual(program.commands.map((command) => command.name()))
})
