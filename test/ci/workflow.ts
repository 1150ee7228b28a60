/** The workflows, as GitHub reads them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
}

export interface Workflow {
  permissions: Permissions
  defaults?: { run: { shell: string } }
  jobs: Record<string, Job>
}

/** By what they are for; or `write-all`. */
export type Permissions = Record<string, string> | string

export interface Job {
  needs?: string | string[]
  strategy?: { matrix: Record<string, string[]> }
  permissions?: Permissions
  steps: Step[]
}

const folder = join(import.meta.dirname, '..', '..', '.github', 'workflows')
export const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
export const workflows = texts.map((text) => parse(text) as Workflow)
export const jobs = workflows.flatMap(({ jobs }) => Object.entries(jobs))

/** The job of this name, and all that its steps run. */
export function jobOf(name: string): Job & { script: string } {
  const [job] = jobs.flatMap(([each, job]) => (each === name ? [job] : []))
  if (job === undefined) throw new Error(`there is no job ${name}`)
  return { ...job, script: job.steps.map(({ run }) => run).join('\n') }
}

/** The jobs that have a step which satisfies this, by name. */
export function jobsThat(does: (step: Step) => boolean): string[] {
  return jobs.filter(([, { steps }]) => steps.some(does)).map(([name]) => name)
}

/** What the one step of a job runs in which this is. */
export function scriptWith(job: string, part: string): string {
  const [script, ...more] = jobOf(job).steps.flatMap(({ run }) => (run?.includes(part) ? [run] : []))
  if (script === undefined || more.length > 0) throw new Error(`${job} has ${part} not in one step`)
  return script
}
