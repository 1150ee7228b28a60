/**
 * buildah as a part, which builds images without a daemon: from the machine's Debian or Ubuntu package. With it what the two
 * images are made of that stand in for those of the Dockerfile (test/image/stand-ins.ts).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { checkApt, unpackPackages } from './apt.ts'

/** Folders of the part: buildah with its libraries, and the files of an image that Node runs on. */
export const TOOLS = 'tools'
export const RUNTIME = 'runtime'
/** A shell with all commands in one file, which is linked statically. */
export const BUSYBOX = 'busybox'

/** The packages of the distroless image, but for OpenSSL and the time zones: Node brings its own. */
const runtimePackages = ['base-files', 'netbase', 'ca-certificates', 'libc6', 'libgcc-s1', 'libstdc++6']

/** Throws a sentence when images cannot be built here: the commands in them run in a root of their own. */
function checkMounts(env: NodeJS.ProcessEnv): void {
  if (spawnSync('unshare', ['--mount', 'true'], { env, stdio: 'ignore' }).status === 0) return
  throw new Error('images are built by root only, where it may mount')
}

/** The package, with the libraries that it needs, and those that they need. */
async function unpackWithLibraries(name: string, into: string, env: NodeJS.ProcessEnv): Promise<void> {
  const done = new Set(['libc6']) // the machine's own: another would not fit its loader
  for (let next = [name]; next.length > 0; ) {
    for (const each of next) done.add(each)
    const libraries = await unpackPackages(next, into, env)
    next = libraries.filter((each) => !done.has(each))
  }
}

export function buildahPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkApt('buildah', env)
  checkMounts(env)
  return {
    name: 'buildah',
    folder: 'buildah-of-apt',
    sources: [import.meta.filename],
    programs: [join(TOOLS, 'usr', 'bin', 'buildah'), BUSYBOX],
    fillers: {
      apt: async (into, say) => {
        say('Taking buildah from its Debian package; this takes some seconds')
        await unpackWithLibraries('buildah', join(into, TOOLS), env)
        await unpackPackages(runtimePackages, join(into, RUNTIME), env)
        const shell = join(into, 'shell')
        await unpackPackages(['busybox-static'], shell, env)
        // Debian 12 has it in /bin yet.
        const bin = [join(shell, 'usr', 'bin'), join(shell, 'bin')].find((folder) =>
          existsSync(join(folder, 'busybox')),
        )
        renameSync(join(bin ?? shell, 'busybox'), join(into, BUSYBOX))
        await rm(shell, { recursive: true })
      },
    },
    cure: 'see to it that `apt-get download buildah busybox-static` works.',
  }
}
