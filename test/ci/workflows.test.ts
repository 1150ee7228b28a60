/** The workflows give what they run no more rights than it needs, and run what was looked at. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
}

interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, { needs?: string | string[]; permissions?: Record<string, string>; steps: Step[] }>
}

const folder = join(import.meta.dirname, '..', '..', '.github', 'workflows')
const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
const workflows = texts.map((text) => parse(text) as Workflow)
const jobs = workflows.flatMap(({ jobs }) => Object.entries(jobs))

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
    ...['release: contents', 'sign: id-token', 'sign: packages'],
  ])
})

test('the image is built in one place, with SBOM and provenance, and signed by the digest that was built', () => {
  const builds = (step: Step) => step.uses?.startsWith('docker/build-push-action@') ?? false
  expect(jobsThat(builds)).toEqual(['build'])
  const build = jobs.flatMap(([, { steps }]) => steps).find(builds)
  expect(build?.with).toMatchObject({ sbom: true, provenance: 'mode=max' })
  const signs = ({ run }: Step) => /^cosign sign --yes ".*@\$DIGEST"$/.test(run ?? '')
  expect(jobsThat(signs)).toEqual(['sign'])
})

test('the chart is published in the version that is tagged, by which it finds its image, and signed by its digest', () => {
  const [chart] = jobs.filter(([name]) => name === 'chart').map(([, job]) => job)
  expect(chart?.needs).toBe('sign')
  const script = chart?.steps.map(({ run }) => run).join('\n') ?? ''
  const steps = [
    'helm package charts/regcred-operator --version "$version" --app-version "$version"',
    'helm push',
    'cosign',
  ]
  expect(steps.map((step) => script.indexOf(step)).every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true)
  expect(script).toMatch(/^cosign sign --yes ".*@\$DIGEST"$/m)
})

test('a release waits for the signatures, and carries the SBOM', () => {
  const [release] = jobs.filter(([name]) => name === 'release').map(([, job]) => job)
  expect(release?.needs).toEqual(['build', 'sign', 'chart'])
  const script = release?.steps.map(({ run }) => run).join('\n')
  const [, file = '?'] = /node scripts\/sbom\.ts > (\S+)/.exec(script ?? '') ?? []
  expect(script).toContain(`gh release create "$GITHUB_REF_NAME" ${file}`)
})

test('known holes and forged packages are looked for', () => {
  const audits = ['npm audit --omit=dev --audit-level=low', 'npm audit signatures']
  for (const command of audits) expect(jobsThat(({ run }) => run === command)).toEqual(['audit'])
})
