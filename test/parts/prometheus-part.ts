/** Prometheus and promtool as a part: from the machine's Debian or Ubuntu package. */
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { checkApt, unpackPrograms } from './apt.ts'

const programs = ['prometheus', 'promtool']

/** The version is that of the machine's package lists: what the tests use of it has been there for long. */
export function prometheusPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkApt('Prometheus', env)
  return {
    name: 'Prometheus',
    folder: 'prometheus-of-apt',
    sources: [import.meta.filename, join(import.meta.dirname, 'apt.ts')],
    programs,
    fillers: {
      apt: async (into, say) => {
        say('Taking Prometheus from its Debian package; this takes some seconds')
        await unpackPrograms(into, ['prometheus'], programs, env)
      },
    },
    cure: 'see to it that `apt-get download prometheus` works.',
  }
}
