/**
 * The project's cache of what tests run beside them: the control plane
 * (provision.ts) and the servers of test/parts. Each part has a folder of its
 * own, which exists only when it is complete.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { messageOf } from './errors.ts'
import { missingFrom } from './locate.ts'
import { acquireLock } from './lock.ts'
import { elapsed, type Say } from './progress.ts'

/** Fills an empty folder with all programs of a part or throws a sentence that says why not. */
export type Filler = (into: string, say: Say) => Promise<void>

export interface Part {
  /** For messages, for instance `control plane`. */
  name: string
  /** What the name of its folder begins with: the part and its version. */
  folder: string
  /** Absolute paths of the files that decide what comes out. */
  sources: string[]
  /** Executables, relative to the folder; without one of them the part is not there. */
  programs: readonly string[]
  /** The ways to get it by their names, the cheapest first. */
  fillers: Record<string, Filler>
  /** For the error when all of them fail: what the user can do. */
  cure: string
}

const PARTIAL = '.partial-'

/** `${XDG_CACHE_HOME:-~/.cache}/regcred-operator` */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'regcred-operator')
}

/**
 * Folder of this version of the part in the cache. Its name changes with the
 * version, the platform and every byte of the sources, so that a changed build
 * never meets old programs.
 */
export function cacheDir(root: string, { folder, sources }: Part): string {
  const hash = createHash('sha256')
  for (const file of sources) hash.update(`${basename(file)}\0`).update(readFileSync(file))
  return join(root, `${folder}-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`)
}

/**
 * The part's folder in the cache, made by the first filler that can. A filler
 * works in a folder of its own, which gets its real name only when it is
 * complete, so that a killed or failed one leaves nothing that could be
 * mistaken for the result.
 */
export async function fillCache(root: string, part: Part, say: Say): Promise<string> {
  const final = cacheDir(root, part)
  const isThere = (): boolean => missingFrom(final, part.programs).length === 0
  if (isThere()) return final
  await mkdir(root, { recursive: true })
  const lock = await acquireLock(join(root, 'lock'), (owner) =>
    say(`Waiting for process ${owner}, which is provisioning already`),
  )
  try {
    if (isThere()) return final
    const leftovers = (await readdir(root)).filter((name) => name.startsWith(PARTIAL))
    for (const name of leftovers) await rm(join(root, name), { recursive: true })

    const reasons: string[] = []
    for (const [name, fill] of Object.entries(part.fillers)) {
      const start = Date.now()
      const partial = await mkdtemp(join(root, PARTIAL))
      try {
        await fill(partial, say)
        const missing = missingFrom(partial, part.programs)
        if (missing.length > 0) throw new Error(`${missing.join(', ')} missing in the result`)
        // What is there lacks a program, or we would have returned it above.
        await rm(final, { recursive: true, force: true })
        await rename(partial, final)
        say(`The ${part.name} is ready (${name}, ${elapsed(Date.now() - start)}): ${final}`)
        return final
      } catch (error) {
        await rm(partial, { recursive: true, force: true })
        reasons.push(`${name}: ${messageOf(error)}`)
        say(`No ${reasons.at(-1)}`)
      }
    }
    throw new Error(
      `There is no ${part.name} to test against.\n${reasons.map((reason) => `- ${reason}`).join('\n')}\nCure: ${part.cure}`,
    )
  } finally {
    lock.release()
  }
}
