/** What the release before this state of the repository has installed, taken from Git. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

function git(folder: string, ...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/**
 * The tag of the last release before HEAD, for instance `v0.1.0`: on the commit of a release that is the one before.
 * Undefined before the first, and where there is no Git or a clone without tags.
 */
export function lastRelease(folder: string = root): string | undefined {
  return git(folder, 'describe', '--tags', '--abbrev=0', '--match=v[0-9]*.[0-9]*.[0-9]*', '--exclude=*-*', 'HEAD^')
}

/** Writes what that release installs, `charts`, `config` and `crds`, into a folder. */
export function takeRelease(tag: string, into: string): void {
  const script = 'git archive "$0" charts config crds | tar -x -C "$1"'
  execFileSync('bash', ['-euo', 'pipefail', '-c', script, tag, into], { cwd: root })
}
