/** The workflows give what they run no more rights than it needs, and run what was looked at. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
}

interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, Job>
}

interface Job {
  needs?: string | string[]
  permissions?: Record<string, string>
  steps: Step[]
}

const root = join(import.meta.dirname, '..', '..')
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const folder = join(root, '.github', 'workflows')
const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
const workflows = texts.map((text) => parse(text) as Workflow)
const jobs = workflows.flatMap(({ jobs }) => Object.entries(jobs))

/** The job of this name, and all that its steps run. */
function jobOf(name: string): Job & { script: string } {
  const [job] = jobs.flatMap(([each, job]) => (each === name ? [job] : []))
  if (job === undefined) throw new Error(`there is no job ${name}`)
  return { ...job, script: job.steps.map(({ run }) => run).join('\n') }
}

/** The jobs that have a step which satisfies this, by name. */
function jobsThat(does: (step: Step) => boolean): string[] {
  return jobs.filter(([, { steps }]) => steps.some(does)).map(([name]) => name)
}

test('every action is pinned by its commit, and the version is told', () => {
  const used = texts.flatMap((text) => [...text.matchAll(/uses: (.*)$/gm)].map(([, action = '']) => action))
  expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
  expect(used).not.toEqual([])
})

test('workflows may read; only the jobs that publish, sign and release may do that', () => {
  expect(workflows.map(({ permissions }) => permissions)).toEqual(workflows.map(() => ({ contents: 'read' })))
  const writing = jobs.flatMap(([name, { permissions = {} }]) =>
    Object.keys(permissions).flatMap((what) => (permissions[what] === 'write' ? `${name}: ${what}` : [])),
  )
  expect(writing.sort()).toEqual([
    ...['build: packages', 'chart: id-token', 'chart: packages'],
    ...['release: attestations', 'release: contents', 'release: id-token'],
    ...['sign: attestations', 'sign: id-token', 'sign: packages'],
  ])
})

test('packages of npm are installed only by jobs that may write nothing', () => {
  const installing = jobsThat(({ run }) => /\bnpm ci\b|\.ci\/run/.test(run ?? ''))
  expect(installing).toContain('files')
  expect(installing.flatMap((name) => Object.values(jobOf(name).permissions ?? {}))).not.toContain('write')
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
  const { steps, script } = jobOf('build')
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
  expect(script).toContain('test "$size" -lt 60000000')
})

test('no platform is emulated, for which an image out of the cache of other runs would run with all rights', () => {
  expect(jobsThat(({ uses }) => /qemu|binfmt/.test(uses ?? ''))).toEqual([])
  const [, onTarget = ''] = dockerfile.split(/^FROM (?!--platform=\$BUILDPLATFORM )/m)
  expect(onTarget).toContain('COPY --from=build')
  expect(onTarget).not.toMatch(/^RUN /m)
})

test('the chart is published in the version that is tagged, by which it finds its image, and signed by its digest', () => {
  const { needs, script } = jobOf('chart')
  expect(needs).toBe('sign')
  const steps = [
    'helm package charts/regcred-operator --version "$version" --app-version "$version"',
    'helm push',
    'cosign',
  ]
  expect(steps.map((step) => script.indexOf(step)).every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true)
  expect(script).toMatch(/^cosign sign --yes ".*@\$DIGEST"$/m)
})

test('a release waits for all signatures, and carries files whose sums are signed and whose origin is attested', () => {
  const { needs, steps, script } = jobOf('release')
  expect(needs).toEqual(['build', 'sign', 'chart', 'files'])
  const order = [
    'helm pull',
    'sha256sum -- *',
    'cosign sign-blob',
    'gh release create "$GITHUB_REF_NAME" release/files/*',
  ]
  expect(order.map((step) => script.indexOf(step)).every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true)
  expect(steps.find(attests)?.with).toEqual({ 'subject-checksums': 'release/files/SHA256SUMS' })
})

test('known holes and forged packages are looked for', () => {
  const audits = ['npm audit --omit=dev --audit-level=low', 'npm audit signatures']
  for (const command of audits) expect(jobsThat(({ run }) => run === command)).toEqual(['audit'])
})

test('tests have the tags of releases, from which they try upgrades', () => {
  const [checkout] = jobOf('test').steps
  expect(checkout?.with).toMatchObject({ 'fetch-depth': 0 })
})
