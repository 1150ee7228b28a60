/**
 * Gets the binaries of the test control plane, in the order of what costs least:
 * KUBEBUILDER_ASSETS, the project's cache, a download, a build from Go modules.
 *
 * As a command (`node test/cluster/provision.ts`) it fills the cache and prints
 * where the binaries are.
 */
import { build } from './build.ts'
import { cacheRoot, fillCache, type Part } from './cache.ts'
import { download } from './download.ts'
import { messageOf } from './errors.ts'
import { binariesIn, missingFrom } from './locate.ts'
import { type Say, sayOn } from './progress.ts'
import {
  APPLETS,
  type Binaries,
  ETCD_VERSION,
  GO_VERSION,
  KUBERNETES_VERSION,
  MAIN_GO,
  MODULE_FILES,
} from './versions.ts'

export const CONTROL_PLANE: Part = {
  name: 'control plane',
  folder: `${KUBERNETES_VERSION}-etcd-${ETCD_VERSION}`,
  sources: [MAIN_GO, ...MODULE_FILES],
  programs: APPLETS,
  fillers: { download, build },
  cure:
    `connect to the internet, or install Go ${GO_VERSION} or newer with a Go module proxy in reach, ` +
    `or set KUBEBUILDER_ASSETS to a folder with ${APPLETS.join(', ')}.`,
}

/** Absolute paths of the binaries, provisioned first if need be; `say` gets the progress. */
export async function provision(
  say: Say,
  env: NodeJS.ProcessEnv = process.env,
  part: Part = CONTROL_PLANE,
): Promise<Binaries> {
  const assets = env.KUBEBUILDER_ASSETS
  if (!assets) return binariesIn(await fillCache(cacheRoot(env), part, say))
  const missing = missingFrom(assets)
  if (missing.length === 0) return binariesIn(assets)
  say(`KUBEBUILDER_ASSETS (${assets}) lacks ${missing.join(', ')}: completing it from the project's own set`)
  return binariesIn(assets, await fillCache(cacheRoot(env), part, say))
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
