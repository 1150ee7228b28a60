/** The real provision is what the other tests of this folder stand on; here are its failures, with a made-up Go, Python and apt. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import { cacheDir, type Part } from '../cluster/cache.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { GO_VERSION } from '../cluster/versions.ts'
import { buildahPart } from './buildah-part.ts'
import { CRD_FILES, CRDS_SUM } from './monitoring-crds.ts'
import { findPython } from './moto-part.ts'
import { containerdPart, kubeletPart } from './node-parts.ts'
import { partMissing } from './parts.ts'
import { prometheusPart } from './prometheus-part.ts'

const folder = temporaryFolders()

/** A folder of shell scripts by their names. */
function commands(sources: Record<string, string>): string {
  const bin = folder()
  for (const [name, source] of Object.entries(sources)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${source}\n`, { mode: 0o755 })
  }
  return bin
}

const CONTAINERD = [
  'usr/bin/containerd',
  'usr/bin/containerd-shim-runc-v2',
  'usr/bin/ctr',
  'sbin/runc',
  ...['loopback', 'ptp', 'host-local'].map((plugin) => `usr/lib/cni/${plugin}`),
  'usr/bin/busybox',
]
const canBeNode = process.platform === 'linux' && process.getuid?.() === 0

// Both write an executable where they are told to.
const GO = `case $1 in
  env) echo go${GO_VERSION} ;;
  build) while [ "$1" != -o ]; do shift; done; touch "$2"; chmod +x "$2" ;;
  mod) echo '{"Dir":"'"$XDG_CACHE_HOME"'/module","Sum":"${CRDS_SUM}"}' ;;
esac`
const APT = `if [ "$1" = download ]; then shift; for name; do touch "\${name}_1_any.deb"; done; fi`
// Each package with the programs of all, where some have them.
const DPKG = `if [ "$1" = -x ]; then
  mkdir -p "$3/usr/bin" "$3/usr/lib/cni" "$3/sbin"
  for name in usr/bin/prometheus usr/bin/promtool usr/bin/buildah ${CONTAINERD.join(' ')}; do touch "$3/$name"; chmod +x "$3/$name"; done
fi`
const python = (answer: object): string => `echo '${JSON.stringify(answer)}'`
const PIP = `if [ "$1" = -c ]; then echo '{"executable":"'"$0"'","tag":"made-up","new":true,"pip":true}'; exit; fi
while [ "$1" != --target ]; do shift; done
mkdir "$2/bin"; touch "$2/bin/moto_server"; chmod +x "$2/bin/moto_server"`

/** How many there are on this machine. */
const partCount = canBeNode ? 10 : 8
const all = { go: GO, python3: PIP, 'apt-get': APT, 'dpkg-deb': DPKG, unshare: '' }

async function provision(sources: Record<string, string>) {
  const cache = folder()
  const crds = join(cache, 'module', 'example', 'prometheus-operator-crd')
  mkdirSync(crds, { recursive: true })
  for (const file of CRD_FILES) writeFileSync(join(crds, file), '')
  const PATH = `${commands(sources)}${delimiter}${process.env.PATH}`
  const child = execFile(process.execPath, [join(import.meta.dirname, 'provision.ts')], {
    // What may be downloaded is built.
    env: { PATH, XDG_CACHE_HOME: cache, HTTPS_PROXY: 'http://127.0.0.1:9' },
  })
  if (child.stdout === null || child.stderr === null) throw new Error('no output')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const parts = readdirSync(join(cache, 'regcred-operator')).filter((name) => !name.startsWith('lock'))
  return {
    code,
    stderr,
    folders: stdout.trim().split('\n'),
    parts: parts.map((name) => name.replace(/-\w+-\w+-\w+$/, '')),
  }
}

describe('the command', () => {
  test('makes all parts and prints their folders', async () => {
    const { code, folders, parts } = await provision(all)
    expect([code, parts]).toEqual([
      0,
      [
        expect.stringMatching(/^argocd-health-v1\./),
        'buildah-of-apt',
        ...(canBeNode ? ['containerd-of-apt'] : []),
        expect.stringMatching(/^ecr-credential-provider-v1\./),
        expect.stringMatching(/^helm-v4\./),
        ...(canBeNode ? [expect.stringMatching(/^kubelet-v1\./)] : []),
        expect.stringMatching(/^monitoring-crds-v0\./),
        expect.stringMatching(/^moto-5\..*-made-up$/),
        'prometheus-of-apt',
        expect.stringMatching(/^registry-v3\./),
      ],
    ])
    expect(folders.map(existsSync)).toEqual(folders.map(() => true))
    expect(folders).toHaveLength(parts.length)
  })

  test.each([
    {
      name: 'moto',
      with: { python3: `${PIP}; echo the wheels are out; exit 1` },
      why: 'pip install failed:\n  the wheels are out',
    },
    {
      name: 'prometheus',
      with: { 'apt-get': `case $2 in prometheus) echo no such package; exit 1 ;; esac\n${APT}` },
      why: 'apt-get download failed:\n  no such package',
    },
    { name: 'buildah', with: { unshare: 'exit 1' }, why: 'images are built by root only, where it may mount' },
  ])('succeeds without $name, and tells why there is none', async ({ name, with: failing, why }) => {
    const { code, stderr, parts } = await provision({ ...all, ...failing })
    expect([code, parts.length]).toEqual([0, partCount - 1])
    expect(stderr).toContain(`The tests that need ${name} are skipped: `)
    expect(stderr).toContain(why)
  })

  test('fails without a part that is built, leaves nothing of it, and makes the others', async () => {
    const failing = `[ "$1" = build ] && case $PWD in */registry) echo no such thing; exit 1 ;; esac\n${GO}`
    const { code, stderr, parts } = await provision({ ...all, go: failing })
    expect([code, parts.length]).toEqual([1, partCount - 1])
    expect(stderr).toContain(
      'There is no registry to test against.\n- build: go build failed:\n  no such thing\nCure: ',
    )
  })

  test('takes no other CustomResourceDefinitions than those that are meant', async () => {
    const { code, stderr, parts } = await provision({ ...all, go: GO.replace(CRDS_SUM, 'h1:other') })
    expect([code, parts.length]).toEqual([1, partCount - 1])
    expect(stderr).toContain(`the module has the checksum h1:other, and not ${CRDS_SUM}`)
  })
})

describe('a part', () => {
  const before = process.env.XDG_CACHE_HOME
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME
    else process.env.XDG_CACHE_HOME = before
  })

  test('that is not there is missed with the cure', () => {
    expect(partMissing('registry')).toBeUndefined()
    process.env.XDG_CACHE_HOME = folder()
    expect(partMissing('registry')).toBe(
      'the registry is not provisioned; `node test/parts/provision.ts` does it, or says why it cannot',
    )
  })

  test('has another folder after any change of what it is made from', () => {
    const source = join(folder(), 'go.sum')
    const part: Part = { name: 'part', folder: 'part-v1', sources: [source], programs: [], fillers: {}, cure: '' }
    const folderFor = (content: string): string => {
      writeFileSync(source, content)
      return cacheDir('', part)
    }
    expect(folderFor('a')).toMatch(/^part-v1-/)
    expect(folderFor('a')).toBe(folderFor('a'))
    expect(folderFor('a\n')).not.toBe(folderFor('a'))
  })
})

test.each([
  { what: 'none', python3: undefined, reason: 'python3 is not installed' },
  { what: 'one that does not work', python3: 'exit 1', reason: 'python3 does not work' },
  { what: 'one without pip', python3: python({ new: true, pip: false }), reason: 'python3 has no pip' },
  { what: 'an old one', python3: python({ new: false, pip: true }), reason: 'python3 is older than 3.11' },
])('of Python, $what will not do', ({ python3, reason }) => {
  const PATH = commands(python3 === undefined ? {} : { python3 })
  expect(() => findPython({ PATH })).toThrow(reason)
})

test('where there is no apt there is no Prometheus, and where root may not mount no buildah', () => {
  expect(() => prometheusPart({ PATH: commands({ 'apt-get': '' }) })).toThrow('dpkg-deb is not installed')
  expect(() => prometheusPart({ PATH: commands({}) })).toThrow('apt-get is not installed')
  const cannotMount = { 'apt-get': '', 'dpkg-deb': '', unshare: 'exit 1' }
  expect(() => buildahPart({ PATH: commands(cannotMount) })).toThrow('images are built by root only')
})

test('where it is not root, or not on Linux, a machine can be no node', () => {
  const made = [kubeletPart, () => containerdPart({ PATH: commands({ 'apt-get': '', 'dpkg-deb': '' }) })]
  for (const part of made) {
    if (canBeNode) expect(part()).toMatchObject({ programs: expect.anything() })
    else expect(part).toThrow(/runs (on Linux|as root) only$/)
  }
})
