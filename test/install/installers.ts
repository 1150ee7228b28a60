/** The two ways to install the operator, as docs/how-to has them. No pod of it runs: the operator is a process of the test. */
import { join } from 'node:path'
import type { Cluster } from '../cluster/access.ts'
import { established } from '../cluster/established.ts'
import { helmWith } from '../parts/helm.ts'

const root = join(import.meta.dirname, '..', '..')
const config = join(root, 'config', 'default')
export const chart = join(root, 'charts', 'regcred-operator')

export interface Installer {
  install(cluster: Cluster): Promise<void>
  /** As the page says, without waiting for what may wait for something else. */
  uninstall(cluster: Cluster): Promise<void>
  /** What is left of it in the cluster, once it is through, and is deleted by hand. */
  leaves: readonly string[]
}

const release = ['regcred-operator', '--namespace', 'regcred-system']
const crd = 'crd/registrycredentials.regcred.dev'

export const installers: Record<'kubectl' | 'helm', Installer> = {
  kubectl: {
    async install(cluster) {
      await cluster.kubectl('apply', '--server-side', '-k', config)
      await established(cluster, crd)
    },
    async uninstall(cluster) {
      await cluster.kubectl('delete', '-k', config, '--ignore-not-found', '--wait=false')
    },
    leaves: [],
  },
  helm: {
    async install(cluster) {
      const [name = '', ...namespace] = release
      await helmOn(cluster, 'install', name, chart, ...namespace, '--create-namespace', '--set', 'replicaCount=0')
      await established(cluster, crd)
    },
    uninstall: async (cluster) => void (await helmOn(cluster, 'uninstall', ...release)),
    leaves: [crd, 'namespace/regcred-system'],
  },
}

/** Helm as the admin. */
export function helmOn(cluster: Cluster, ...args: string[]): Promise<string> {
  return helmWith(cluster.adminKubeconfig)(...args)
}
