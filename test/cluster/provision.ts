/**
 * Gets the binaries of the test control plane, in the order of what costs least:
 * KUBEBUILDER_ASSETS, the project's cache, a download, a build from Go modules.
 *
 * As a command (`node test/cluster/provision.ts`) it fills the cache and prints
 * where the binaries are.
 */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from './build.ts'
import { download } from './download.ts'
import { messageOf } from './errors.ts'
import { binariesIn, cacheDir, cacheRoot, missingFrom } from './locate.ts'
import { acquireLock } from './lock.ts'
import { elapsed, type Say, sayOn } from './progress.ts'
import { APPLETS, type Binaries, GO_VERSION } from './versions.ts'

/** Fills an empty folder with all applets or throws. */
export type Filler = (into: string, say: Say) => Promise<void>

const FILLERS: Record<string, Filler> = { download, build }
const PARTIAL = '.partial-'

/**
 * The folder of the cache with all applets, made by the first filler that can.
 * A filler works in a folder of its own, which gets its real name only when it
 * is complete, so that a killed or failed one leaves nothing that could be
 * mistaken for the result.
 */
export async function fillCache(root: string, say: Say, fillers: Record<string, Filler> = FILLERS): Promise<string> {
  const final = cacheDir(root)
  if (missingFrom(final).length === 0) return final
  await mkdir(root, { recursive: true })
  const lock = await acquireLock(join(root, 'lock'), (owner) =>
    say(`Waiting for process ${owner}, which is provisioning the control plane already`),
  )
  try {
    if (missingFrom(final).length === 0) return final
    const leftovers = (await readdir(root)).filter((name) => name.startsWith(PARTIAL))
    for (const name of leftovers) await rm(join(root, name), { recursive: true })

    const reasons: string[] = []
    for (const [name, fill] of Object.entries(fillers)) {
      const start = Date.now()
      const partial = await mkdtemp(join(root, PARTIAL))
      try {
        await fill(partial, say)
        const missing = missingFrom(partial)
        if (missing.length > 0) throw new Error(`${missing.join(', ')} missing in the result`)
        // What is there lacks an applet, or we would have returned it above.
        await rm(final, { recursive: true, force: true })
        await rename(partial, final)
        say(`Control plane ready (${name}, ${elapsed(Date.now() - start)}): ${final}`)
        return final
      } catch (error) {
        await rm(partial, { recursive: true, force: true })
        reasons.push(`${name}: ${messageOf(error)}`)
        say(`No ${reasons.at(-1)}`)
      }
    }
    throw new Error(
      `There is no control plane to test against.\n${reasons.map((reason) => `- ${reason}`).join('\n')}\n` +
        `Cure: connect to the internet, or install Go ${GO_VERSION} or newer with a Go module proxy in reach, ` +
        `or set KUBEBUILDER_ASSETS to a folder with ${APPLETS.join(', ')}.`,
    )
  } finally {
    lock.release()
  }
}

/** Absolute paths of the binaries, provisioned first if need be; `say` gets the progress. */
export async function provision(
  say: Say,
  env: NodeJS.ProcessEnv = process.env,
  fillers: Record<string, Filler> = FILLERS,
): Promise<Binaries> {
  const assets = env.KUBEBUILDER_ASSETS
  if (!assets) return binariesIn(await fillCache(cacheRoot(env), say, fillers))
  const missing = missingFrom(assets)
  if (missing.length === 0) return binariesIn(assets)
  say(`KUBEBUILDER_ASSETS (${assets}) lacks ${missing.join(', ')}: completing it from the project's own set`)
  return binariesIn(assets, await fillCache(cacheRoot(env), say, fillers))
}

if (import.meta.main) {
  try {
    const binaries = await provision(sayOn(process.stderr))
    for (const path of Object.values(binaries)) console.log(path)
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 1
  }
}
