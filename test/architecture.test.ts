/**
 * The layering of CONTRIBUTING: imports point one way. Checked over the import lines of src/, and the checker itself over
 * lines made up to break each rule.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, test } from '@jest/globals'

/**
 * A folder of src may import itself and folders of a lower rank. Files directly in src/ rank above all folders but cli,
 * which is a program of its own: neither imports the other.
 */
const RANKS: Readonly<Record<string, number>> = {
  cli: 5,
  controller: 4,
  sources: 3,
  registry: 3,
  kube: 3,
  http: 2,
  model: 1,
  api: 0,
}
const TOP = 5

/** Packages that only these places may import; a place ends with / when it is a folder. */
const CONFINED: Readonly<Record<string, readonly string[]>> = {
  '@dot-i/k8s-operator': ['operator.ts'],
  '@aws-sdk/client-ecr': ['sources/ecr.ts'],
  '@aws-sdk/client-ecr-public': ['sources/ecr-public.ts'],
  '@aws-sdk/client-sts': ['sources/aws.ts'],
  '@kubernetes/client-node': ['kube/', 'operator.ts', 'main.ts', 'cli/kubeconfig.ts', 'cli/connection.ts'],
}

/** Every module that a source text imports, exports from, requires or loads at run time. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const patterns = [
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g,
  ]
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, module = '']) => module))
}

/** What breaks the layering when `file` (relative to src/) imports `module`; undefined when it may. */
function violation(file: string, module: string): string | undefined {
  const from = folderOf(file)
  if (!module.startsWith('.')) {
    if (from === 'model' || from === 'api') return `${from} is pure: it imports neither packages nor node:`
    const places = CONFINED[packageOf(module)]
    if (!places || places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))) return
    return `only ${places.join(', ')} may import it`
  }
  const target = posix.join(posix.dirname(file), module)
  if (target.startsWith('..'))
    return from === '' || file === 'cli/main.ts' ? undefined : 'only the programs may import from outside of src/'
  const to = folderOf(target)
  if (from === to) return undefined
  if (from === 'telemetry') return 'telemetry imports nothing but itself and packages'
  if (to === 'telemetry') return from === 'model' || from === 'api' ? `${from} is pure: it has no telemetry` : undefined
  const [above, below] = [rankOf(from), rankOf(to)]
  if (above === undefined || below === undefined) return 'a folder without a place in the layering: give it one here'
  return above > below ? undefined : `${from} may not import ${to || 'files directly in src/'}`
}

/** "" for files directly in src/. */
function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : ''
}

function rankOf(folder: string): number | undefined {
  return folder === '' ? TOP : RANKS[folder]
}

/** `@scope/name` or `name`, without the path in the package. */
function packageOf(module: string): string {
  return module.split('/', module.startsWith('@') ? 2 : 1).join('/')
}

function check(file: string, source: string): string[] {
  return importsOf(source).flatMap((module) => {
    const problem = violation(file, module)
    return problem ? [`src/${file} imports ${module}: ${problem}`] : []
  })
}

describe('the sources', () => {
  const root = `${import.meta.dirname}/../src`
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

  test('are found, and so are their imports', () => {
    expect(files).toEqual(expect.arrayContaining(['config.ts', 'model/selection.ts', 'telemetry/logger.ts']))
    expect(importsOf(readFileSync(`${root}/telemetry/logger.ts`, 'utf8'))).toEqual(
      expect.arrayContaining(['winston', './redaction.ts']),
    )
  })

  test('import in one direction only', () => {
    expect(files.flatMap((file) => check(file, readFileSync(`${root}/${file}`, 'utf8')))).toEqual([])
  })
})

describe('the checker catches', () => {
  test.each([
    ['an upward import', 'model/a.ts', "import { b } from '../controller/b.ts'"],
    ['an upward import of a type', 'kube/a.ts', "import type { B } from '../controller/b.ts'"],
    ['a sideways import', 'kube/a.ts', "import { b } from '../sources/b.ts'"],
    ['an import of the wiring', 'controller/a.ts', "import { b } from '../config.ts'"],
    ['an import over several lines', 'api/a.ts', "import {\n  b,\n  c,\n} from '../model/b.ts'"],
    ['a re-export', 'api/a.ts', "export { b } from '../model/b.ts'"],
    ['a re-export of all', 'api/a.ts', "export * from '../model/b.ts'"],
    ['an import for its effects', 'api/a.ts', "import '../model/b.ts'"],
    ['a dynamic import', 'api/a.ts', "const b = await import('../model/b.ts')"],
    ['a require', 'api/a.ts', "const b = require('../model/b.ts')"],
    ['a node module in the model', 'model/a.ts', "import { join } from 'node:path'"],
    ['a package in the api', 'api/a.ts', "import yaml from 'yaml'"],
    ['telemetry in the model', 'model/a.ts', "import { Metrics } from '../telemetry/metrics.ts'"],
    ['telemetry that imports a layer', 'telemetry/a.ts', "import { b } from '../api/b.ts'"],
    ['telemetry that imports the wiring', 'telemetry/a.ts', "import { b } from '../config.ts'"],
    ['the operator package outside of its file', 'main.ts', "import Operator from '@dot-i/k8s-operator'"],
    ['a path into the client package', 'controller/a.ts', "import { b } from '@kubernetes/client-node/dist/b.js'"],
    ['the client package in telemetry', 'telemetry/a.ts', "import type { B } from '@kubernetes/client-node'"],
    ['a file from outside of src', 'controller/a.ts', "import p from '../../package.json' with { type: 'json' }"],
    ['a program that imports the other one', 'main.ts', "import { b } from './cli/b.ts'"],
    ['the other one that imports this', 'cli/a.ts', "import { b } from '../config.ts'"],
    ['a folder nobody gave a place', 'helpers/a.ts', "import { b } from '../model/b.ts'"],
  ])('%s', (_, file, line) => {
    const other = "import { fine } from './fine.ts'"
    expect(check(file, `${other}\n${line}\n`)).toHaveLength(1)
  })
})

describe('the checker allows', () => {
  test.each([
    ['imports downwards', 'controller/a.ts', "import { b } from '../kube/b.ts'\nimport { c } from '../api/c.ts'"],
    ['imports in the same folder', 'model/a.ts', "import { b } from './b.ts'"],
    ['imports in the same layer by a longer way', 'model/deep/a.ts', "import { b } from '../b.ts'"],
    ['telemetry from any other layer', 'sources/a.ts', "import { b } from '../telemetry/b.ts'"],
    [
      'the wiring to import everything',
      'run.ts',
      "import { b } from './controller/b.ts'\nimport c from '../package.json'",
    ],
    ['the client package where it belongs', 'kube/deep/a.ts', "import { KubeConfig } from '@kubernetes/client-node'"],
    ['the operator package in its file', 'operator.ts', "import Operator from '@dot-i/k8s-operator'"],
    ['packages outside of model and api', 'telemetry/a.ts', "import { join } from 'node:path'"],
    ['comments that speak of imports', 'api/a.ts', "// import { b } from '../model/b.ts'\n/* import 'node:fs' */"],
  ])('%s', (_, file, source) => {
    expect(check(file, source)).toEqual([])
  })
})
