/**
 * Finds binaries that are on this machine already: the set that the user names
 * by KUBEBUILDER_ASSETS (the convention of Kubernetes' envtest), and the
 * project's own cache.
 */
import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { APPLETS, type Applet, type Binaries, ETCD_VERSION, KUBERNETES_VERSION, MODULE_DIR } from './versions.ts'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Applets that `dir` does not have. */
export function missingFrom(dir: string): Applet[] {
  return APPLETS.filter((applet) => !isExecutable(join(dir, applet)))
}

/**
 * The binaries of `dir`, or of `fallback` for those that `dir` lacks. Both hold
 * one executable per applet; paths are absolute.
 */
export function binariesIn(dir: string, fallback: string = dir): Binaries {
  const path = (applet: Applet): string => {
    const preferred = resolve(dir, applet)
    return isExecutable(preferred) ? preferred : resolve(fallback, applet)
  }
  return {
    etcd: path('etcd'),
    kubeApiserver: path('kube-apiserver'),
    kubeControllerManager: path('kube-controller-manager'),
    kubectl: path('kubectl'),
  }
}

/** `${XDG_CACHE_HOME:-~/.cache}/regcred-operator` */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'regcred-operator')
}

/**
 * Folder of this version's binaries in the cache. Its name changes with the
 * versions, the platform and every byte of the module, so that a changed build
 * never meets old binaries. It exists only when it is complete.
 */
export function cacheDir(root: string): string {
  const hash = createHash('sha256')
  for (const file of ['main.go', 'go.mod', 'go.sum']) {
    hash.update(`${file}\0`).update(readFileSync(join(MODULE_DIR, file)))
  }
  const key = hash.digest('hex').slice(0, 12)
  return join(root, `${KUBERNETES_VERSION}-etcd-${ETCD_VERSION}-${process.platform}-${process.arch}-${key}`)
}
