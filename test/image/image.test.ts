/** The image that is built from the Dockerfile: the same from every clone, small, and in need of nothing but to be run. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { partMissing } from '../parts/parts.ts'
import { type Image, openArchive } from './archive.ts'
import { commit, type ImageBuild, openBuilder, own } from './build.ts'

const root = join(import.meta.dirname, '..', '..')
const missing = partMissing('buildah')
const folder = mkdtempSync(join(tmpdir(), 'image-test-'))
const minutes = 60_000

/** What the Dockerfile takes, as somebody else has it who keeps his files to himself, and took them out just now. */
function cloneOfAnother(): string {
  const clone = join(folder, 'clone')
  const taken = readFileSync(join(root, '.dockerignore'), 'utf8').matchAll(/(?<=^!).*$/gm)
  for (const path of ['Dockerfile', '.dockerignore', ...[...taken].map(([path]) => path)]) {
    mkdirSync(dirname(join(clone, path)), { recursive: true })
    cpSync(join(root, path), join(clone, path), { recursive: true })
  }
  execFileSync('chmod', ['-R', 'u=rwX,go=', clone])
  return clone
}

const describeImage = missing === undefined ? describe : describe.skip

describeImage(missing === undefined ? 'the image' : `the image (${missing})`, () => {
  const other = own === 'amd64' ? 'arm64' : 'amd64'
  let image: Image
  let again: Image

  beforeAll(async () => {
    const builder = await openBuilder()
    const built = async (name: string, how: Pick<ImageBuild, 'clone' | 'architecture'>) => {
      const archive = join(folder, `${name}.tar`)
      await builder.build({ archive, name: `example.com/regcred-operator:${name}`, ...how })
      return openArchive(archive, join(folder, name))
    }
    try {
      image = await built('own', {})
      again = await built('again', { architecture: other, clone: cloneOfAnother() })
    } finally {
      builder.close()
    }
  }, 10 * minutes)

  test('is built again from another clone, for another platform, with the very same layer', () => {
    expect([image.architecture, again.architecture]).toEqual([own, other])
    expect(ours(again).digest).toBe(ours(image).digest)
    expect(again.config).toEqual(image.config)
    expect(again.created).toBe(image.created)
  })

  test('says what it is, and of which commit', () => {
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': packageJson.name,
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.source': commit.SOURCE,
      'org.opencontainers.image.version': commit.VERSION,
      'org.opencontainers.image.revision': commit.REVISION,
      'org.opencontainers.image.created': commit.CREATED,
    })
  })

  test('adds one layer to its base: the bundle and licences, which belong to root and are dated by the commit', () => {
    const { files } = ours(image)
    const wanted = /^app\/(LICENSE|(regcred-operator|chunks\/[\w-]+)\.mjs(\.LEGAL\.txt)?|chunks\/)?$/
    expect(files.filter(({ path }) => !wanted.test(path))).toEqual([])
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['app/LICENSE', 'app/regcred-operator.mjs']))
    const date = commit.CREATED.replace('T', ' ').replace('Z', '')
    const looks = files.map(({ mode, owner, date }) => `${mode} ${owner} ${date}`)
    expect([...new Set(looks)].sort()).toEqual([`-rw-r--r-- 0/0 ${date}`, `drwxr-xr-x 0/0 ${date}`])
  })

  test('runs as a user without rights or capabilities, where nothing can be written', () => {
    expect(image.config.User).toBe('65532:65532')
    expect(Object.keys(image.config.ExposedPorts).sort()).toEqual(['8081/tcp', '8443/tcp'])
    const { Entrypoint } = image.config
    const { status, stdout, stderr } = runReadOnly(image, ...Entrypoint, '--version')
    expect([status, stderr, stdout]).toEqual([0, '', `${packageJson.version}\n`])
    const [node = ''] = Entrypoint
    expect(runReadOnly(image, node, '-e', 'fs.writeFileSync("/tmp/x", "")').stderr).toContain('EROFS')
  })

  test('is below 60 MB as it is pulled, of which the operator is one', () => {
    const megabytes = (bytes: number) => bytes / 1e6
    expect(megabytes(ours(image).size)).toBeLessThan(1.2)
    expect(megabytes(image.layers.reduce((sum, { size }) => sum + size, 0))).toBeLessThan(60)
  })
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The layer on top of those of the base. */
function ours({ layers }: Image) {
  const [last, ...below] = layers.toReversed()
  if (last === undefined || below.length === 0) throw new Error('no base, or no layer of ours')
  return last
}

/** Runs a program of it as its user, with its environment, in a root that cannot be written to. */
function runReadOnly({ files, config }: Image, ...command: string[]) {
  const script = `root=$1; user=$2; shift 2
    mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"
    exec chroot --userspec="$user" "$root" "$@"`
  const environment = Object.fromEntries(config.Env.map((each) => each.split(/=(.*)/s)))
  return spawnSync('unshare', ['--mount', 'sh', '-ec', script, 'run', files, config.User, ...command], {
    encoding: 'utf8',
    env: { ...environment, PATH: process.env.PATH },
  })
}
