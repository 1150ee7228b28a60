/** moto, which plays AWS, as a part: installed by pip, for machines that have Python. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { runCommand } from '../cluster/command.ts'
import { hasProperty } from '../cluster/errors.ts'
import { withStatus } from '../cluster/progress.ts'

const REQUIREMENTS = join(import.meta.dirname, 'moto-requirements.txt')

export interface Python {
  /** Absolute path of the interpreter. */
  executable: string
  /** What compiled packages depend on, for instance `cpython-311`. */
  tag: string
}

// JSON, as a path may hold anything.
const LOOK = `
import importlib.util, json, sys
print(json.dumps({'executable': sys.executable, 'tag': sys.implementation.cache_tag,
                  'new': sys.version_info >= (3, 11), 'pip': importlib.util.find_spec('pip') is not None}))
`

/** The machine's `python3`; throws a sentence when it will not do. */
export function findPython(env: NodeJS.ProcessEnv = process.env): Python {
  let found: Python & { new: boolean; pip: boolean }
  try {
    found = JSON.parse(
      execFileSync('python3', ['-c', LOOK], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }),
    )
  } catch (error) {
    throw new Error(hasProperty(error, 'code', 'ENOENT') ? 'python3 is not installed' : 'python3 does not work')
  }
  if (!found.new) throw new Error('python3 is older than 3.11')
  if (!found.pip) throw new Error('python3 has no pip')
  return found
}

/** Throws a sentence when this machine has no Python for it. */
export function motoPart(): Part {
  const python = findPython()
  const version = /^moto==(\S+)/m.exec(readFileSync(REQUIREMENTS, 'utf8'))?.[1]
  const title = `moto ${version}`
  return {
    name: 'moto server',
    folder: `moto-${version}-${python.tag}`,
    sources: [REQUIREMENTS],
    programs: ['bin/moto_server'],
    fillers: {
      pip: async (into, say) => {
        say(`Installing ${title} from a Python package index; this takes up to a minute`)
        const from = ['--require-hashes', '--only-binary', ':all:', '-r', REQUIREMENTS]
        const args = ['-m', 'pip', 'install', '--no-input', '--target', into, ...from]
        const install = () => runCommand('pip install', python.executable, args, { env: process.env })
        await withStatus(say, () => `Installing ${title}`, install)
      },
    },
    cure: 'see to it that pip reaches a Python package index that has the wheels of moto-requirements.txt.',
  }
}
