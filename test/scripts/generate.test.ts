/** What is generated is what its sources give, and a forgotten `npm run generate` is found. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', '..')
const crdFile = join('crds', 'registrycredentials.yaml')
const typesFile = join('src', 'api', 'registry-credential.ts')
const expectedFile = join('src', 'cli', 'doctor', 'expected.ts')
const references = [join('docs', 'reference', 'api.md'), join('docs', 'reference', 'flags.md')]

/** A folder with copies of what is generated and what it is made from: the script takes both from its working folder. */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'generate-'))
  for (const path of ['crds', 'config', 'charts', typesFile, expectedFile, ...references])
    cpSync(join(root, path), join(folder, path), { recursive: true })
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function generate(...args: string[]): { status: number | null; stderr: string } {
  const script = join(root, 'scripts', 'generate.ts')
  return spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(folder, file), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(folder, file), text.replace(from, to))
}

test('what is generated in the repository is current', () => {
  expect(generate('--check')).toMatchObject({ status: 0, stderr: '' })
})

test('a changed CRD makes --check fail with the cure, and leaves the file alone', () => {
  edit(crdFile, '[Delete, Orphan]', '[Delete, Orphan, Keep]')
  const { status, stderr } = generate('--check')
  expect(status).toBe(1)
  expect(stderr).toContain(
    'registry-credential.ts is not what crds/registrycredentials.yaml gives: run `npm run generate`',
  )
  expect(readFileSync(join(folder, typesFile), 'utf8')).not.toContain('Keep')
})

test.each([typesFile, expectedFile, ...references])('%s, edited by hand or missing, makes --check fail', (file) => {
  edit(file, 'Generated from', 'Once generated from')
  expect(generate('--check')).toMatchObject({ status: 1, stderr: expect.stringMatching(`^${file} is not what `) })
  rmSync(join(folder, file))
  expect(generate('--check').status).toBe(1)
})

test('generating brings types and reference to the CRD', () => {
  edit(crdFile, '[Delete, Orphan]', '[Delete, Orphan, Keep]')
  expect(generate()).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(folder, typesFile), 'utf8')).toContain("deletionPolicy: 'Delete' | 'Orphan' | 'Keep'")
  expect(readFileSync(join(folder, 'docs/reference/api.md'), 'utf8')).toContain('`"Orphan"` or `"Keep"`')
  expect(generate('--check').status).toBe(0)
})

test('what the chart has of config/ follows it', () => {
  edit(join('config', 'rbac', 'role.yaml'), 'verbs: [create] #', 'verbs: [create, delete] #')
  const { status, stderr } = generate('--check')
  expect([status, stderr.trim()]).toEqual([
    1,
    'charts/regcred-operator/files/config/rbac/role.yaml is not what config/rbac/role.yaml gives: run `npm run generate` and commit the result.',
  ])
  expect(generate()).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(folder, 'charts/regcred-operator/files/config/rbac/role.yaml'), 'utf8')).toContain(
    '[create, delete]',
  )
  expect(generate('--check').status).toBe(0)
})

test('the table of values in the page of the chart follows values.yaml', () => {
  edit(join('charts', 'regcred-operator', 'values.yaml'), 'replicaCount: 2', 'replicaCount: 3')
  expect(generate('--check').stderr).toContain('README.md is not what charts/regcred-operator/values.yaml gives')
  expect(generate()).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(folder, 'charts/regcred-operator/README.md'), 'utf8')).toContain('| `replicaCount` | `3` |')
})

test('a value without a comment is none', () => {
  edit(join('charts', 'regcred-operator', 'values.yaml'), '# -- How many run', '# How many run')
  expect(generate('--check').stderr).toContain('the value replicaCount has no comment "# -- "')
})

test('the plugin knows the policies of config/ as they are', () => {
  edit(join('config', 'guard', 'secrets.yaml'), 'variables.own && object.type in', 'object.type in')
  expect(generate('--check').stderr).toContain(
    'expected.ts is not what crds/, config/guard, config/admission and config/policies gives',
  )
  expect(generate()).toMatchObject({ status: 0, stderr: '' })
  expect(generate('--check').status).toBe(0)
})

test('fields with a default are not optional, all others that are not required are', () => {
  const types = readFileSync(join(root, typesFile), 'utf8')
  expect(types).toMatch(/^ {2}serviceAccounts: string\[\]$/m)
  expect(types).toMatch(/^ {2}optIn: boolean$/m)
  expect(types).toMatch(/^ {2}registries\?: string\[\]$/m)
  expect(types).toMatch(/^ {2}source: RegistryCredentialSource$/m)
})
