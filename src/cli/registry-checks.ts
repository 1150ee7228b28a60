/** The registry check as the operator does it, from here, with everything that it does on the way. */
import type { Entries } from '../model/docker-config.ts'
import type { Verdict, Verification } from '../model/verification.ts'
import { check } from '../registry/check.ts'
import { questionsOf } from '../registry/questions.ts'
import type { Proof, Step } from '../registry/registry-client.ts'
import type { ExitCode } from './problem.ts'

/** Of one login of one registry. */
export interface RegistryCheck extends Verification {
  /** Docker config key; undefined: of the image alone, for which there is no login. */
  registry: string | undefined
  /** host[:port] that was asked. */
  host: string | undefined
  image: string | undefined
  steps: Step[]
}

/** @param image what has to be pullable; undefined: only whether the logins are accepted is asked */
export async function registryChecks(
  entries: Entries,
  image: string | undefined,
  fetch: typeof globalThis.fetch,
): Promise<RegistryCheck[]> {
  const { questions, problem } = questionsOf(entries, image)
  const { signal } = new AbortController()
  const checks: RegistryCheck[] = []
  for (const question of questions) {
    const steps: Step[] = []
    const way = { fetch, signal, onStep: (step: Step) => steps.push(step) }
    const verification = await check(question, way, () => undefined)
    checks.push({ registry: question.key, host: question.host, image: question.image, steps, ...verification })
  }
  if (problem) checks.push({ registry: undefined, host: undefined, image, steps: [], ...problem })
  return checks
}

/** Whether one of the entries is what the kubelet would try for the image. */
export function covers(entries: Entries, image: string): boolean {
  return questionsOf(entries, image).problem === undefined
}

/** 1 where a registry says no; 2 where one does not say, or nothing could be asked. */
export function exitCodeOf(verdicts: readonly Verdict[]): ExitCode {
  if (verdicts.some((verdict) => verdict === 'Invalid' || verdict === 'NoPullAccess')) return 1
  return verdicts.length === 0 || verdicts.includes('Unknown') ? 2 : 0
}

const proofs: Readonly<Record<Proof, string>> = {
  nothing: 'without a login',
  login: 'with the login',
  token: 'with the token',
}

/** Lines for people, without the verdict. */
export function stepLines({ registry, host, image, steps }: RegistryCheck): string[] {
  const head = registry === undefined ? `${image}` : `${registry}${host === registry ? '' : ` at ${host}`}`
  const lines = steps.map(({ method, url, proof, answer, asksFor }) => {
    const asks = asksFor.length === 0 ? '' : `, asks for a login by ${asksFor.join(' or ')}`
    return `  ${method.padEnd(4)} ${url} ${proofs[proof]}: ${answer}${asks}`
  })
  return [registry !== undefined && image !== undefined ? `${head}, image ${image}` : head, ...lines]
}
