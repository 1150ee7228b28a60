/** Installs what `config/` installs for users, so that tests run against exactly that. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './access.ts'
import { established } from './established.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CRD_FILE = join(ROOT, 'crds', 'registrycredentials.yaml')
const CONFIG = join(ROOT, 'config', 'default')

/**
 * Applies the CRD, waits until it is served, and applies `config/default`. The
 * Deployment in there stays without a running pod, as there is no node: the
 * operator under test runs as a child process (operator.ts).
 */
export async function installOperator(cluster: Cluster): Promise<void> {
  if (existsSync(CRD_FILE)) {
    await cluster.kubectl('apply', '--server-side', '-f', CRD_FILE)
    await established(cluster, '-f', CRD_FILE)
  }
  if (existsSync(CONFIG)) await cluster.kubectl('apply', '--server-side', '-k', CONFIG)
}
