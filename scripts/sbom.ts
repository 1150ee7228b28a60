/**
 * Prints what the bundle is made of, as CycloneDX: the production packages of the lock file, with version, checksum and
 * licence. It needs no network. `npm sbom --omit dev` of the project itself leaves out what a development dependency
 * needs as well, so npm is asked about a project without any.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))

const { devDependencies: _, ...manifest } = read('package.json')
const lock = read('package-lock.json')
const packages = Object.entries<{ dev?: boolean }>(lock.packages).filter(([path, { dev }]) => path !== '' && !dev)

const temporary = mkdtempSync(join(tmpdir(), 'sbom-'))
try {
  const project = join(temporary, manifest.name) // npm takes the name from the folder
  mkdirSync(project)
  const { devDependencies: __, ...top } = lock.packages['']
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  writeFileSync(
    join(project, 'package-lock.json'),
    JSON.stringify({ ...lock, packages: { '': top, ...Object.fromEntries(packages) } }),
  )
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application']
  process.stdout.write(execFileSync('npm', args, { cwd: project, maxBuffer: 2 ** 28 }))
} finally {
  rmSync(temporary, { recursive: true })
}
