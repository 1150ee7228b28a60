/** `.ci/run` tells the truth about a test run: its exit code and its closing line. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

/** A repository with nothing but the script, and beside it an `npm` that does as it is told. */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-'))
  mkdirSync(join(folder, '.ci'))
  mkdirSync(join(folder, 'bin'))
  cpSync(join(import.meta.dirname, '..', '..', '.ci', 'run'), join(folder, '.ci', 'run'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** @param npm shell commands that stand for `npm ci` and `npm test` */
function run(npm: { ci: string; test: string }): { status: number | null; lines: string[] } {
  const script = `#!/bin/sh\ncase "$1" in\nci) ${npm.ci};;\ntest) ${npm.test};;\nesac\n`
  writeFileSync(join(folder, 'bin', 'npm'), script)
  chmodSync(join(folder, 'bin', 'npm'), 0o755)
  const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` }
  const { status, stdout } = spawnSync('bash', [join(folder, '.ci', 'run')], { encoding: 'utf8', env })
  return { status, lines: stdout.trimEnd().split('\n') }
}

const summary = (tests: string) => `printf 'Test Suites: 3 passed, 3 total\\nTests:       ${tests}\\nTime: 1 s\\n' >&2`

test.each([
  { what: 'all pass', test: summary('12 passed, 12 total'), code: 0, closing: '12 passed, 0 failed' },
  {
    what: 'some are skipped',
    test: summary('2 skipped, 10 passed, 12 total'),
    code: 0,
    closing: '10 passed, 0 failed',
  },
  {
    what: 'some fail',
    test: `${summary('1 failed, 2 skipped, 9 passed, 12 total')}; exit 1`,
    code: 1,
    closing: '9 passed, 1 failed',
  },
  { what: 'all fail', test: `${summary('12 failed, 12 total')}; exit 1`, code: 1, closing: '0 passed, 12 failed' },
  {
    what: 'a test file cannot be loaded',
    test: `${summary('12 passed, 12 total')}; exit 1`,
    code: 1,
    closing: '12 passed, 1 failed',
  },
  {
    what: 'there are two runs, of which one fails',
    test: `${summary('1 failed, 2 skipped, 9 passed, 12 total')}; ${summary('30 passed, 30 total')}; exit 1`,
    code: 1,
    closing: '39 passed, 1 failed',
  },
  { what: 'jest does not start', test: 'echo "Validation Error" >&2; exit 7', code: 7, closing: '0 passed, 1 failed' },
  { what: 'jest finds no tests', test: 'echo "No tests found"', code: 1, closing: '0 passed, 1 failed' },
  {
    what: 'the summary is coloured',
    test: "printf '\\033[1mTests:       \\033[22m\\033[32m3 passed\\033[39m, 3 total\\n'",
    code: 0,
    closing: '3 passed, 0 failed',
  },
])('when $what it ends with "$closing" and exit code $code', ({ test, code, closing }) => {
  const { status, lines } = run({ ci: 'true', test })
  expect([status, lines.at(-1)]).toEqual([code, closing])
})

test('when the installation fails, no test runs', () => {
  const { status, lines } = run({ ci: 'echo "npm error"; exit 3', test: summary('12 passed, 12 total') })
  expect([status, lines]).toEqual([3, ['npm error', '0 passed, 1 failed']])
})

test('the output of the run is passed through', () => {
  const { lines } = run({ ci: 'echo installed', test: `echo testing; ${summary('1 passed, 1 total')}` })
  expect(lines).toEqual([
    'installed',
    'testing',
    'Test Suites: 3 passed, 3 total',
    'Tests:       1 passed, 1 total',
    'Time: 1 s',
    '1 passed, 0 failed',
  ])
})
