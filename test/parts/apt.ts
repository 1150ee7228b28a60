/** Programs from packages of this machine's Debian or Ubuntu, which are unpacked and not installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../cluster/command.ts'

/** Where packages have their programs, from the root of the file system. */
const places = ['usr/bin', 'usr/sbin', 'bin', 'sbin', 'usr/lib/cni']

/** Throws a sentence when this machine has no such packages. @param what is taken from them */
export function checkApt(what: string, env: NodeJS.ProcessEnv): void {
  for (const command of ['apt-get', 'dpkg-deb']) {
    try {
      execFileSync(command, ['--version'], { env, stdio: 'ignore' })
    } catch {
      throw new Error(`${command} is not installed: ${what} is taken from Debian or Ubuntu`)
    }
  }
}

/** Fills the empty folder `into` with the programs. The versions are those of the machine's package lists. */
export async function unpackPrograms(
  into: string,
  packages: readonly string[],
  programs: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await runCommand('apt-get download', 'apt-get', ['download', ...packages], { env, cwd: into })
  const files = readdirSync(into).filter((name) => name.endsWith('.deb'))
  for (const file of files) await runCommand('dpkg-deb', 'dpkg-deb', ['-x', file, 'unpacked'], { env, cwd: into })
  for (const program of programs) {
    const found = places.map((place) => join(into, 'unpacked', place, program)).find(existsSync)
    // Of what may be a link to the program of another package.
    if (found !== undefined) renameSync(realpathSync(found), join(into, program))
  }
  for (const rest of [...files, 'unpacked']) await rm(join(into, rest), { recursive: true })
}
