/** The workflows give what they run no more rights than it needs, and run what was looked at. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { jobOf, jobs, jobsThat, type Permissions, type Step, texts, workflows } from './workflow.ts'

const root = join(import.meta.dirname, '..', '..')
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')

/** What may be written; all of it, whatever it is called, where that is not said one by one. */
function written(permissions: Permissions = {}): string[] {
  if (typeof permissions === 'string') return [permissions]
  return Object.keys(permissions).filter((what) => permissions[what] === 'write')
}

test('every action is pinned by its commit, and the version is told', () => {
  const used = texts.flatMap((text) => [...text.matchAll(/uses: (.*)$/gm)].map(([, action = '']) => action))
  expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
  expect(used).not.toEqual([])
})

test('workflows may read; only the jobs that publish, sign and release may do that', () => {
  expect(workflows.map(({ permissions }) => permissions)).toEqual(workflows.map(() => ({ contents: 'read' })))
  const writing = jobs.flatMap(([name, { permissions }]) => written(permissions).map((what) => `${name}: ${what}`))
  expect(writing.sort()).toEqual([
    ...['build: packages', 'chart: id-token', 'chart: packages'],
    ...['release: attestations', 'release: contents', 'release: id-token'],
    ...['sign: attestations', 'sign: id-token', 'sign: packages'],
  ])
})

test('packages of npm are installed only by jobs that may write nothing', () => {
  const installing = jobsThat(({ run }) => /\bnpm ci\b|\.ci\/run/.test(run ?? ''))
  expect(installing).toContain('files')
  expect(installing.flatMap((name) => written(jobOf(name).permissions))).toEqual([])
})

const attests = (step: Step) => step.uses?.startsWith('actions/attest-build-provenance@') ?? false

test('the image is built in one place, with SBOM and provenance, and signed by the digest that was built', () => {
  const builds = (step: Step) => step.uses?.startsWith('docker/build-push-action@') ?? false
  expect(jobsThat(builds)).toEqual(['build'])
  expect(jobOf('build').steps.find(builds)?.with).toMatchObject({ sbom: true, provenance: 'mode=max' })
  expect(jobsThat(({ run }) => /^cosign sign --yes "\$image"$/m.test(run ?? ''))).toEqual(['sign'])
  const subject = jobOf('sign').steps.find(attests)?.with?.['subject-digest']
  expect(subject).toContain('needs.build.outputs.digest')
})

test('the image is dated and labelled by its commit, for both platforms, and a version is built of nothing that is left over', () => {
  const { steps } = jobOf('build')
  const build = steps.find(({ uses }) => uses?.startsWith('docker/build-push-action@'))
  expect(build?.env?.SOURCE_DATE_EPOCH).toContain('steps.commit.outputs.epoch')
  expect(build?.with).toMatchObject({
    platforms: 'linux/amd64,linux/arm64',
    outputs: expect.stringContaining('rewrite-timestamp=true'),
    'no-cache': expect.stringContaining("github.ref_type == 'tag'"),
  })
  const told = [...String(build?.with?.['build-args']).matchAll(/^(\w+)=/gm)].map(([, name]) => name)
  const asked = [...dockerfile.matchAll(/^ARG (\w+)=/gm)].map(([, name]) => name)
  expect(told.sort()).toEqual(asked.sort())
})

test('no platform is emulated, for which an image out of the cache of other runs would run with all rights', () => {
  expect(jobsThat(({ uses }) => /qemu|binfmt/.test(uses ?? ''))).toEqual([])
  const [, onTarget = ''] = dockerfile.split(/^FROM (?!--platform=\$BUILDPLATFORM )/m)
  expect(onTarget).toContain('COPY --from=build')
  expect(onTarget).not.toMatch(/^RUN /m)
})

test('the chart is published when its image is signed', () => {
  expect(jobOf('chart').needs).toBe('sign')
})

test('a release waits for all signatures, and carries files whose sums are signed and whose origin is attested', () => {
  const { needs, steps } = jobOf('release')
  expect(needs).toEqual(['build', 'sign', 'chart', 'files'])
  const does = steps.map(
    ({ uses = '', run, with: given }) => run?.trimEnd().split('\n').at(-1) ?? [uses.split('@')[0], given],
  )
  expect(does).toEqual([
    ['sigstore/cosign-installer', undefined],
    ['actions/download-artifact', { name: 'release', path: 'release' }],
    ['actions/download-artifact', { name: 'chart', path: 'release/files' }],
    'cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS',
    ['actions/attest-build-provenance', { 'subject-checksums': 'release/files/SHA256SUMS' }],
    expect.stringMatching(/^gh release create "\$GITHUB_REF_NAME" release\/files\/\* .*--verify-tag/),
  ])
})

test('a job that failed can be run again, whatever it had left', () => {
  const uploads = jobs.flatMap(([name, { steps }]) =>
    steps.flatMap(({ uses, with: given }) => (uses?.startsWith('actions/upload-artifact@') ? [[name, given]] : [])),
  )
  expect(uploads).toEqual([
    ['chart', expect.objectContaining({ name: 'chart', overwrite: true })],
    ['files', expect.objectContaining({ name: 'release', overwrite: true })],
  ])
})

test('known holes and forged packages are looked for', () => {
  const audits = ['npm audit --omit=dev --audit-level=low', 'npm audit signatures']
  for (const command of audits) expect(jobsThat(({ run }) => run === command)).toEqual(['audit'])
})

test('tests have the tags of releases, from which they try upgrades', () => {
  const [checkout] = jobOf('test').steps
  expect(checkout?.with).toMatchObject({ 'fetch-depth': 0 })
})

test('the tests run on each older Kubernetes that there are versions of', () => {
  const older = readdirSync(join(root, 'test', 'cluster', 'control-plane')).flatMap(
    (name) => /^v(.*)\.mod$/.exec(name)?.[1] ?? [],
  )
  expect(older).not.toEqual([])
  expect(jobOf('older').strategy?.matrix).toEqual({ kubernetes: older.sort() })
  expect(jobOf('older').script).toContain('.ci/run')
})
