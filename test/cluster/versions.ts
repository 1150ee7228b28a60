/**
 * The versions and programs of the test control plane.
 *
 * `control-plane/go.mod` is the one place where versions are pinned; what the
 * downloads and the build need is read from there.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The Go module that builds all applets as one binary. */
export const MODULE_DIR: string = join(import.meta.dirname, 'control-plane')

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

/** What the first group of the pattern finds in the go.mod of a module: a version. */
export function pinned(moduleDir: string, pattern: RegExp): string {
  const found = pattern.exec(readFileSync(join(moduleDir, 'go.mod'), 'utf8'))?.[1]
  if (found === undefined) throw new Error(`${basename(moduleDir)}/go.mod has no line that matches ${pattern}`)
  return found
}

/** For instance `v1.37.2`. */
export const KUBERNETES_VERSION: string = pinned(MODULE_DIR, /^\s*k8s\.io\/kubernetes (v\S+)$/m)

/** For instance `v3.7.0`. */
export const ETCD_VERSION: string = pinned(MODULE_DIR, /^\s*go\.etcd\.io\/etcd\/server\/v3 (v\S+)$/m)

/** The lowest Go version that can build the module, for instance `1.26.0`. */
export const GO_VERSION: string = pinned(MODULE_DIR, /^go (\S+)$/m)
