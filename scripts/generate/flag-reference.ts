/** docs/reference/flags.md: the settings of the operator, from what --help is made of. */
import { FLAGS } from '../../src/command-line.ts'
import type { Generated } from './generated.ts'
import { cell, code, row } from './markdown.ts'

const from = 'src/command-line.ts'

const head = `<!-- Generated from ${from} by \`npm run generate\`; do not edit. -->

# Flags of the operator

Each is a flag, and an environment variable; a flag outranks its variable, which outranks the default. A variable that is empty
counts as not set. A flag that may be repeated is a list with commas in its variable.
`

export async function flagReference(): Promise<Generated[]> {
  const rows = FLAGS.map(({ flag, env, repeatable, byDefault, meaning }) =>
    row(`${code(flag)}${repeatable ? ' (repeatable)' : ''}`, code(env), cell(byDefault), cell(meaning)),
  )
  const table = [row('flag', 'environment', 'default', 'meaning'), row('---', '---', '---', '---'), ...rows]
  return [{ file: 'docs/reference/flags.md', from, text: `${head}\n${table.join('\n')}\n` }]
}
