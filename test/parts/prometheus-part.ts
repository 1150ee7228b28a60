/** Prometheus and promtool as a part: from the machine's Debian or Ubuntu package, which is unpacked and not installed. */
import { renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { checkApt, unpackPackages } from './apt.ts'

const programs = ['prometheus', 'promtool']

/** The version is that of the machine's package lists: what the tests use of it has been there for long. */
export function prometheusPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkApt('Prometheus', env)
  return {
    name: 'Prometheus',
    folder: 'prometheus-of-apt',
    sources: [import.meta.filename],
    programs,
    fillers: {
      apt: async (into, say) => {
        say('Taking Prometheus from its Debian package; this takes some seconds')
        const unpacked = join(into, 'unpacked')
        await unpackPackages(['prometheus'], unpacked, env)
        for (const program of programs) renameSync(join(unpacked, 'usr', 'bin', program), join(into, program))
        await rm(unpacked, { recursive: true })
      },
    },
    cure: 'see to it that `apt-get download prometheus` works.',
  }
}
