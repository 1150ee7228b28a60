/**
 * Named checks and their report, in the words of Kubernetes' own components (apiserver `pkg/server/healthz`), so that
 * people and scripts who read `/readyz?verbose` elsewhere can read ours.
 */

export interface Check {
  name: string
  /** What is wrong, for people, without secrets: the answer is open to whoever reaches the port. Undefined: all is well. */
  check: () => string | undefined
  /** What is not as it should be, but no failure (yet): told beside the `ok`, on the same terms. */
  note?: () => string | undefined
}

export interface CheckReport {
  ok: boolean
  text: string
}

/** Runs all checks. The text lists each of them when asked to, and always when one fails. */
export function runChecks(title: string, checks: readonly Check[], verbose: boolean): CheckReport {
  const results = checks.map(({ name, check, note }) => ({ name, problem: problemOf(check), note }))
  const ok = results.every(({ problem }) => problem === undefined)
  if (ok && !verbose) return { ok, text: 'ok' }
  const lines = results.map(({ name, problem, note }) => {
    if (problem !== undefined) return `[-]${name} failed: ${problem}`
    const noted = note && problemOf(note)
    return `[+]${name} ok${noted === undefined ? '' : `, but ${noted}`}`
  })
  return { ok, text: [...lines, `${title} check ${ok ? 'passed' : 'failed'}`, ''].join('\n') }
}

function problemOf(check: Check['check']): string | undefined {
  try {
    return check()
  } catch {
    return 'the check itself failed' // its error may quote anything
  }
}
