/**
 * Makes what is made from other files: `npm run generate`. With --check it writes nothing and exits 1 when a file is not
 * what its source gives. Paths are relative to the working folder, which npm sets to the root of the repository.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { apiReference } from './generate/api-reference.ts'
import { chart } from './generate/chart.ts'
import { expected } from './generate/expected.ts'
import { flagReference } from './generate/flag-reference.ts'
import type { Generated } from './generate/generated.ts'
import { types } from './generate/types.ts'

const generators: (() => Promise<Generated[]>)[] = [types, apiReference, flagReference, chart, expected]

const onlyChecks = process.argv.includes('--check')
for (const generate of generators) {
  for (const { file, from, text } of await generate()) {
    if (!onlyChecks) {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    } else if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) {
      console.error(`${file} is not what ${from} gives: run \`npm run generate\` and commit the result.`)
      process.exitCode = 1
    }
  }
}
