/** Programs of the machine's Debian or Ubuntu packages, which are unpacked and not installed. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../cluster/command.ts'

/** Throws a sentence when this machine has no such packages. */
export function checkApt(what: string, env: NodeJS.ProcessEnv): void {
  for (const command of ['apt-get', 'dpkg-deb']) {
    try {
      execFileSync(command, ['--version'], { env, stdio: 'ignore' })
    } catch {
      throw new Error(`${command} is not installed: ${what} is taken from Debian or Ubuntu`)
    }
  }
}

/** Unpacks the packages into one folder. @returns the names of the libraries that they depend on, as packages */
export async function unpackPackages(names: string[], into: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = `${into}.packages`
  await mkdir(folder, { recursive: true })
  await runCommand('apt-get download', 'apt-get', ['download', ...names], { env, cwd: folder })
  const libraries = new Set<string>()
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    const path = join(folder, name)
    await runCommand('dpkg-deb', 'dpkg-deb', ['-x', path, into], { env })
    const depends = execFileSync('dpkg-deb', ['-f', path, 'Depends'], { env, encoding: 'utf8' })
    for (const [library] of depends.matchAll(/(?<=^|, )lib[a-z0-9.+-]+/g)) libraries.add(library)
  }
  await rm(folder, { recursive: true })
  return [...libraries]
}
