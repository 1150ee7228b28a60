/**
 * Builds the control plane from its Go module (`control-plane/`), which needs
 * nothing but a Go module proxy. About six minutes on two cores with empty
 * caches, seconds with Go's own caches filled.
 */
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { buildGo } from './go.ts'
import type { Say } from './progress.ts'
import { APPLETS, GO_MOD, KUBERNETES_VERSION } from './versions.ts'

/** Without these the API server calls itself v0.0.0, and version-dependent feature gates misbehave. */
export function versionVariables(): Record<string, string> {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.')
  const version = Object.entries({ gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor })
  // The servers read the first, the user agents of the clients the second.
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
  return Object.fromEntries(packages.flatMap((path) => version.map(([name, value]) => [`${path}.${name}`, value])))
}

/** Fills the empty folder `into` with all applets, or throws a sentence that says why not. */
export async function build(into: string, say: Say, userEnv?: NodeJS.ProcessEnv): Promise<void> {
  const about = { title: `Kubernetes ${KUBERNETES_VERSION}`, takes: '6 to 8 minutes' }
  const program = { goMod: GO_MOD, variables: versionVariables(), about }
  await buildGo(program, join(into, 'control-plane'), say, userEnv)
  for (const applet of APPLETS) await symlink('control-plane', join(into, applet))
}
