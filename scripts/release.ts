/**
 * `node scripts/release.ts VERSION` writes a version to every place that names it, and gives it what CHANGELOG.md has as
 * unreleased. CONTRIBUTING.md, "Releasing", has what comes before and after.
 */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { released } from './changelog.ts'

const root = join(import.meta.dirname, '..')
/** What names the version for users, with the test that looks at an example. */
const places = ['README.md', '{charts,config,docs,examples}/**/*.{md,yaml}', 'test/gitops/repository.test.ts']

const [version = ''] = process.argv.slice(2)
if (!/^\d+\.\d+\.\d+$/.test(version)) {
  console.error('Usage: node scripts/release.ts VERSION, for instance 1.2.3')
  process.exit(2)
}

function edit(file: string, change: (text: string) => string): void {
  const path = join(root, file)
  const before = readFileSync(path, 'utf8')
  const after = change(before)
  if (after === before) return
  writeFileSync(path, after)
  console.log(file)
}

const { version: current }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const today = new Date().toISOString().slice(0, 'yyyy-mm-dd'.length)
edit('CHANGELOG.md', (text) => released(text, version, today))
const npm = ['version', version, '--no-git-tag-version', '--allow-same-version']
execFileSync('npm', npm, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
const named = new RegExp(`(?<![\\d.])${current.replaceAll('.', '\\.')}(?![\\d]|\\.\\d)`, 'g')
for (const file of globSync(places, { cwd: root })) edit(file, (text) => text.replace(named, version))
