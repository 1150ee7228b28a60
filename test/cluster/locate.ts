/**
 * Finds the programs of a folder: a part of the project's own cache, or the set
 * that the user names by KUBEBUILDER_ASSETS (the convention of Kubernetes'
 * envtest).
 */
import { accessSync, constants } from 'node:fs'
import { join, resolve } from 'node:path'
import { APPLETS, type Applet, type Binaries } from './versions.ts'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Programs that `dir` does not have; by default of those of the control plane. */
export function missingFrom(dir: string, programs: readonly string[] = APPLETS): string[] {
  return programs.filter((program) => !isExecutable(join(dir, program)))
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
