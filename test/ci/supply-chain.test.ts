/** What the operator is made of: packages that are pinned, few, free to use, and listed as they are. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }

interface Locked {
  version: string
  integrity?: string
  dev?: boolean
  link?: boolean
  inBundle?: boolean
  hasInstallScript?: boolean
}

const root = join(import.meta.dirname, '..', '..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const lockfile: { packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'))
const locked = Object.entries(lockfile.packages).filter(([path]) => path !== '')
const production = locked.filter(([, { dev }]) => !dev)
const folder = mkdtempSync(join(tmpdir(), 'supply-chain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
/** One that stands in several places counts once. */
const versions = [...new Set(production.map(([path, { version }]) => `${nameOf(path)}@${version}`))].sort()

/** Licences that ask for no more than to be named. */
const allowed = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'PSF-2.0', 'Unlicense']

test('every package has a checksum of its own, and is neither a link nor a part of another', () => {
  const odd = locked.filter(
    ([, { integrity, link, inBundle }]) => !/^sha512-/.test(integrity ?? '') || link || inBundle,
  )
  expect(odd.map(([path]) => path)).toEqual([])
})

test('package.json decides on every install script, and production has none', () => {
  const withScript = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path))
  expect([...new Set(withScript)].sort()).toEqual(Object.keys(packageJson.allowScripts).sort())
  expect(production.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
})

test('the licences of all production packages are on the list, and the list has no other', () => {
  const licences = production.map(([path]) => {
    const { license }: { license?: string } = JSON.parse(read(path, 'package.json'))
    return license ?? `none in ${path}`
  })
  expect([...new Set(licences)].sort()).toEqual(allowed)
})

test('the README says how many production packages there are', () => {
  const [, figure] = /the operator is made of (\d+) packages/.exec(read('README.md')) ?? []
  expect(Number(figure)).toBe(versions.length)
})

test('the bundle contains production packages alone', () => {
  const metafile = join(folder, 'meta.json')
  execFileSync(process.execPath, [join(root, 'scripts', 'build.ts'), join(folder, 'dist'), metafile], { stdio: 'pipe' })
  interface Metafile {
    outputs: Record<string, { inputs: object }>
  }
  const { outputs } = JSON.parse(readFileSync(metafile, 'utf8')) as Metafile
  const modules = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs))
  const packages = new Set(
    modules.flatMap(
      (module) => /(?:^|\.\.\/)((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+)/.exec(module)?.[1]?.slice(0, -1) ?? [],
    ),
  )
  expect(packages).toEqual(new Set([...packages].filter((path) => production.some(([each]) => each === path))))
  expect(packages).toContain('node_modules/undici')
  expect(packages.size).toBeGreaterThan(50)
})

test('the SBOM lists the production packages, each with its checksum and licence', () => {
  interface Component {
    name: string
    version: string
    hashes?: object[]
    licenses?: object[]
  }
  const text = execFileSync(process.execPath, [join(root, 'scripts', 'sbom.ts')], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const { bomFormat, metadata, components } = JSON.parse(text) as {
    bomFormat: string
    metadata: { component: { name: string } }
    components: Component[]
  }
  expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', packageJson.name])
  expect(components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(versions)
  expect(components.filter(({ hashes, licenses }) => !hashes?.length || !licenses?.length)).toEqual([])
})
