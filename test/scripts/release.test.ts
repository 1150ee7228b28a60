/** A release, rehearsed in a copy of the repository: the version in all places, and the files that are published with it. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { released, sectionOf } from '../../scripts/changelog.ts'
import { provision } from '../cluster/provision.ts'
import { sharedCluster } from '../cluster/shared.ts'

const root = join(import.meta.dirname, '..', '..')
const copied = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'charts',
  'config',
]
  .concat('crds', 'docs', 'examples', 'scripts', 'src')
  .concat(join('test', 'gitops', 'repository.test.ts'))
/** How the operator's version is named, wherever it is. */
const named = /(?:regcred-operator:|newTag: |ersion: |targetRevision: v|tag: v|ref=v)(\d+\.\d+\.\d+)(?!\d|\.\d)/g
const image = `ghcr.io/acme/regcred-operator@sha256:${'0123456789abcdef'.repeat(4)}`

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'release-'))
const clone = join(folder, 'clone')
const kubectl = dirname((await provision(() => {})).kubectl)

function run(...args: string[]): string {
  const env = { ...process.env, PATH: [kubectl, process.env.PATH].join(delimiter), SOURCE_DATE_EPOCH: '1767323045' }
  return execFileSync(process.execPath, args, { cwd: clone, encoding: 'utf8', env })
}

function versionsNamed(where: string): string[] {
  const files = globSync(['README.md', '{charts,config,docs,examples}/**/*.{md,yaml}'], { cwd: where })
  return files.flatMap((file) =>
    [...readFileSync(join(where, file), 'utf8').matchAll(named)].map(([, each = '']) => each),
  )
}

beforeAll(() => {
  for (const path of copied) cpSync(join(root, path), join(clone, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  run('scripts/release.ts', '98.7.6')
})

afterAll(() => rmSync(folder, { recursive: true }))

test('every place names the version of package.json', () => {
  const versions = versionsNamed(root)
  expect(versions.length).toBeGreaterThan(8)
  expect(new Set(versions)).toEqual(new Set([packageJson.version]))
})

test('a new version is written to all of them, and to the lock file', () => {
  expect(versionsNamed(clone)).toEqual(versionsNamed(root).map(() => '98.7.6'))
  const lock = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8'))
  expect([lock.version, lock.packages[''].version]).toEqual(['98.7.6', '98.7.6'])
})

test('what was unreleased becomes what is said of it, with its date', () => {
  const [before, after] = [root, clone].map((where) => readFileSync(join(where, 'CHANGELOG.md'), 'utf8'))
  expect(sectionOf(after ?? '', '98.7.6')).toBe(sectionOf(before ?? '', 'Unreleased'))
  expect(after).toMatch(/^## \[98\.7\.6\] - \d{4}-\d{2}-\d{2}$/m)
})

test('a version of which nothing is said is not released', () => {
  expect(() => released('## [Unreleased]\n\n## [1.0.0] - 2026-01-02\n\nIt works.\n', '1.1.0', '2026-01-03')).toThrow(
    'CHANGELOG.md says nothing of Unreleased',
  )
  expect(() => sectionOf('## [1.0.0] - 2026-01-02\n\nIt works.\n', '1.0')).toThrow('nothing of 1.0')
})

describe('the files of a release', () => {
  const files = join(clone, 'release', 'files')
  const read = (...path: string[]) => readFileSync(join(clone, ...path))
  const archive = 'kubectl-regcred-98.7.6.tar.gz'

  beforeAll(() => {
    run('scripts/release-files.ts', 'release', image)
  })

  test('are the manifests, the CRD, the plugin and the list of packages', () => {
    const names = ['crds.yaml', 'install.yaml', archive, 'regcred-operator.cdx.json']
    expect(readdirSync(files).sort()).toEqual(names)
    expect(read('release', 'files', 'crds.yaml')).toEqual(read('crds', 'registrycredentials.yaml'))
    const { metadata } = JSON.parse(read('release', 'files', 'regcred-operator.cdx.json').toString())
    expect(metadata.component).toMatchObject({ name: 'regcred-operator', version: '98.7.6' })
  })

  test('install what config/default does, with the image by its digest', async () => {
    const cluster = sharedCluster()
    const built = await cluster.kubectl('kustomize', join(clone, 'config', 'default'))
    const manifests = read('release', 'files', 'install.yaml').toString()
    expect(manifests).toBe(built.replace('ghcr.io/regcred/regcred-operator:98.7.6', image))
    expect(manifests).toContain(`image: ${image}\n`)
    const dryRun = ['--server-side', '--force-conflicts', '--dry-run=server']
    const applied = await cluster.kubectl('apply', ...dryRun, '-f', join(files, 'install.yaml'))
    expect(applied).toContain('deployment.apps/regcred-operator')
  })

  test('have the plugin under the names that kubectl looks for', () => {
    const unpacked = mkdtempSync(join(folder, 'plugin-'))
    execFileSync('tar', ['-xzf', join(files, archive), '-C', unpacked])
    const env = {
      PATH: [unpacked, kubectl, dirname(process.execPath), process.env.PATH].join(delimiter),
      KUBERC: 'off',
    }
    expect(execFileSync('kubectl', ['regcred', '--version'], { encoding: 'utf8', env })).toBe('98.7.6\n')
    const complete = execFileSync('kubectl', ['__complete', 'regcred', 'sta'], { encoding: 'utf8', env, stdio: 'pipe' })
    expect(complete).toContain('status')
  })

  test('are the same when they are made again, and so are the notes', () => {
    run('scripts/release-files.ts', 'again', image)
    for (const name of [join('files', 'install.yaml'), join('files', archive), 'notes.md']) {
      expect(read('again', name).equals(read('release', name))).toBe(true)
    }
  })

  test('are made of no other time than that of a commit, and for no image but one that cannot change', () => {
    const script = join(clone, 'scripts', 'release-files.ts')
    const make = (epoch: string, ...args: string[]) =>
      spawnSync(process.execPath, [script, join(clone, 'never'), ...args], { env: { SOURCE_DATE_EPOCH: epoch } }).status
    expect([
      make('', image),
      make('yesterday', image),
      make('1767323045', 'ghcr.io/acme/a:1'),
      make('1767323045'),
    ]).toEqual([2, 2, 2, 2])
    expect(existsSync(join(clone, 'never'))).toBe(false)
  })

  test('come with notes that name the image and say how to verify it', () => {
    const notes = read('release', 'notes.md').toString()
    expect(notes).toContain(sectionOf(read('CHANGELOG.md').toString(), '98.7.6'))
    expect(notes).toContain(image)
    expect(notes).toContain('(https://github.com/acme/regcred-operator/blob/v98.7.6/docs/how-to/verify.md)')
  })
})
