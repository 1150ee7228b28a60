/** Prometheus and promtool as a part: from the machine's Debian or Ubuntu package, which is unpacked and not installed. */
import { execFileSync } from 'node:child_process'
import { readdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { runCommand } from '../cluster/command.ts'

const programs = ['prometheus', 'promtool']

/** Throws a sentence when this machine has no such packages. */
function checkApt(env: NodeJS.ProcessEnv): void {
  for (const command of ['apt-get', 'dpkg-deb']) {
    try {
      execFileSync(command, ['--version'], { env, stdio: 'ignore' })
    } catch {
      throw new Error(`${command} is not installed: Prometheus is taken from Debian or Ubuntu`)
    }
  }
}

/** The version is that of the machine's package lists: what the tests use of it has been there for long. */
export function prometheusPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkApt(env)
  return {
    name: 'Prometheus',
    folder: 'prometheus-of-apt',
    sources: [import.meta.filename],
    programs,
    fillers: {
      apt: async (into, say) => {
        say('Taking Prometheus from its Debian package; this takes some seconds')
        await runCommand('apt-get download', 'apt-get', ['download', 'prometheus'], { env, cwd: into })
        const [packageFile = ''] = readdirSync(into).filter((name) => name.endsWith('.deb'))
        await runCommand('dpkg-deb', 'dpkg-deb', ['-x', packageFile, 'unpacked'], { env, cwd: into })
        for (const program of programs) renameSync(join(into, 'unpacked', 'usr', 'bin', program), join(into, program))
        for (const rest of [packageFile, 'unpacked']) await rm(join(into, rest), { recursive: true })
      },
    },
    cure: 'see to it that `apt-get download prometheus` works.',
  }
}
