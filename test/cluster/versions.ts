/**
 * The versions and programs of the test control plane.
 *
 * `control-plane/go.mod` is the one place where versions are pinned; what the
 * downloads and the build need is read from there. For each older Kubernetes
 * there is another such file beside it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The Go module that builds all applets as one binary. */
const moduleDir = join(import.meta.dirname, 'control-plane')

/** Environment variable that chooses an older Kubernetes, for instance `1.34`. */
export const CHOICE = 'REGCRED_TEST_KUBERNETES'

/** Names of the programs; `main.go` acts by the same names. */
export const APPLETS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const

export type Applet = (typeof APPLETS)[number]

/** Absolute paths of the programs. */
export interface Binaries {
  etcd: string
  kubeApiserver: string
  kubeControllerManager: string
  kubectl: string
}

/** What the first group of the pattern finds in a go.mod: a version. */
export function pinned(goMod: string, pattern: RegExp): string {
  const found = pattern.exec(readFileSync(goMod, 'utf8'))?.[1]
  if (found === undefined) throw new Error(`${goMod} has no line that matches ${pattern}`)
  return found
}

const kubernetesIn = (goMod: string): string => pinned(goMod, /^\s*k8s\.io\/kubernetes (v\S+)$/m)
/** `v1.37.2` → `1.37`. */
const lineOf = (version: string): string => version.slice(1).replace(/\.\d+$/, '')

/** What can be chosen → the file that pins it, the oldest first. */
const goMods = new Map(
  readdirSync(moduleDir)
    .filter((name) => name.endsWith('.mod'))
    .map((name): [string, string] => [lineOf(kubernetesIn(join(moduleDir, name))), join(moduleDir, name)])
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
)

/** The go.mod of the Kubernetes that was chosen, by default the newest; throws a sentence if there is none. */
export function chooseGoMod(choice: string | undefined): string {
  if (!choice) return join(moduleDir, 'go.mod')
  const chosen = goMods.get(choice)
  if (chosen !== undefined) return chosen
  throw new Error(`${CHOICE} is ${JSON.stringify(choice)}; there are ${[...goMods.keys()].join(', ')}`)
}

/** What makes all applets one binary. */
export const MAIN_GO: string = join(moduleDir, 'main.go')

/** The go.mod of the control plane that is used. */
export const GO_MOD: string = chooseGoMod(process.env[CHOICE])

/** What pins all modules of a build, by absolute paths. */
export const MODULE_FILES: readonly string[] = [GO_MOD, join(moduleDir, basename(GO_MOD).replace(/mod$/, 'sum'))]

/** For instance `v1.37.2`. */
export const KUBERNETES_VERSION: string = kubernetesIn(GO_MOD)

/** For instance `v3.7.0`. */
export const ETCD_VERSION: string = pinned(GO_MOD, /^\s*go\.etcd\.io\/etcd\/server\/v3 (v\S+)$/m)

/** The lowest Go version that can build the module, for instance `1.26.0`. */
export const GO_VERSION: string = pinned(GO_MOD, /^go (\S+)$/m)
