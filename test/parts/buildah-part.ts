/**
 * buildah as a part, which builds images without a daemon: from the machine's Debian or Ubuntu package. With it what the two
 * images are made of that stand in for those of the Dockerfile (test/image/stand-ins.ts).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../cluster/cache.ts'
import { runCommand } from '../cluster/command.ts'
import { checkApt, unpackPrograms } from './apt.ts'

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

/** Unpacks packages into one folder. @returns the libraries that they depend on, as packages */
async function unpack(names: readonly string[], into: string, env: NodeJS.ProcessEnv): Promise<string[]> {
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

/** The package, with the libraries that it needs, and those that they need. */
async function unpackWithLibraries(name: string, into: string, env: NodeJS.ProcessEnv): Promise<void> {
  const done = new Set(['libc6']) // the machine's own: another would not fit its loader
  for (let next = [name]; next.length > 0; ) {
    for (const each of next) done.add(each)
    const libraries = await unpack(next, into, env)
    next = libraries.filter((each) => !done.has(each))
  }
}

export function buildahPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkApt('buildah', env)
  checkMounts(env)
  return {
    name: 'buildah',
    folder: 'buildah-of-apt',
    sources: [import.meta.filename, join(import.meta.dirname, 'apt.ts')],
    programs: [join(TOOLS, 'usr', 'bin', 'buildah'), BUSYBOX],
    fillers: {
      apt: async (into, say) => {
        say('Taking buildah from its Debian package; this takes some seconds')
        await unpackWithLibraries('buildah', join(into, TOOLS), env)
        await unpack(runtimePackages, join(into, RUNTIME), env)
        await unpackPrograms(into, ['busybox-static'], [BUSYBOX], env)
      },
    },
    cure: 'see to it that `apt-get download buildah busybox-static` works.',
  }
}
