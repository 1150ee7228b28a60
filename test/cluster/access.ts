/**
 * Access to a control plane that runs, by nothing but its folder, so that any
 * process (a jest worker, the demo) can use one that another process started.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditEntry, readAuditLog } from './audit.ts'
import { type Authority, clientCertificate } from './certificates.ts'
import { type Credentials, kubeconfig } from './kubeconfig.ts'
import type { Binaries } from './versions.ts'
import { eventually } from './wait.ts'

/** A user by name and groups, or a ServiceAccount. */
export type Identity = { user: string; groups?: string[] } | { serviceAccount: string; namespace: string }

export interface Cluster {
  /** Folder with everything of this cluster, logs included; gone after the end. */
  dir: string
  /** URL of the API server. */
  server: string
  /** File path; a user of the group system:masters. */
  adminKubeconfig: string
  /**
   * A new kubeconfig file of a real identity: a client certificate for a user, a
   * token of 24 hours for a ServiceAccount (waited for until it exists).
   */
  kubeconfigFor(who: Identity): Promise<string>
  /** Runs kubectl as the admin and returns its stdout; throws with its stderr. */
  kubectl(...args: string[]): Promise<string>
  /** `kubectl apply --server-side -f -` of one or more YAML or JSON documents, as the admin. */
  apply(manifest: string): Promise<string>
  /** The requests that the API server got, optionally only those from a point in time on. */
  auditLog(since?: Date): Promise<AuditEntry[]>
}

/** What a cluster's folder tells about it, in `cluster.json`. Secret: the authority's key. */
export interface ClusterState {
  server: string
  authority: Authority
  binaries: Binaries
}

export const STATE_FILE = 'cluster.json'
export const AUDIT_FILE = 'audit.log'
const ADMIN_FILE = 'admin.kubeconfig'
const TOKEN_LIFETIME = '24h'

export function openCluster(dir: string): Cluster {
  const state = JSON.parse(readFileSync(join(dir, STATE_FILE), 'utf8')) as ClusterState
  const adminKubeconfig = join(dir, ADMIN_FILE)

  function run(args: string[], input = ''): Promise<string> {
    // No preferences of the user's (kuberc) and no cache in the user's home.
    const env = { ...process.env, KUBECONFIG: adminKubeconfig, KUBERC: 'off', KUBECACHEDIR: join(dir, 'kubectl-cache') }
    return new Promise((resolve, reject) => {
      const child = execFile(state.binaries.kubectl, args, { env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`))
      })
      // kubectl may end without reading: its own error tells more than EPIPE.
      child.stdin?.on('error', () => {})
      child.stdin?.end(input)
    })
  }

  async function kubeconfigFor(who: Identity): Promise<string> {
    let name: string
    let credentials: Credentials
    if ('user' in who) {
      name = who.user
      credentials = clientCertificate(state.authority, { commonName: name, organizations: who.groups ?? [] })
    } else {
      name = `system:serviceaccount:${who.namespace}:${who.serviceAccount}`
      const args = ['create', 'token', who.serviceAccount, '-n', who.namespace, `--duration=${TOKEN_LIFETIME}`]
      credentials = { token: (await eventually(() => run(args), { describe: `a token of ${name}` })).trim() }
    }
    const file = join(dir, `${randomUUID()}.kubeconfig`)
    await writeFile(file, kubeconfig(state.server, state.authority.certificate, name, credentials), { mode: 0o600 })
    return file
  }

  return {
    dir,
    server: state.server,
    adminKubeconfig,
    kubeconfigFor,
    kubectl: (...args) => run(args),
    apply: (manifest) => run(['apply', '--server-side', '-f', '-'], manifest),
    auditLog: (since = new Date(0)) => readAuditLog(join(dir, AUDIT_FILE), since),
  }
}

/** Writes what `openCluster` needs into the folder of a cluster that is about to start. */
export async function describeCluster(dir: string, state: ClusterState): Promise<void> {
  const admin = clientCertificate(state.authority, { commonName: 'test-admin', organizations: ['system:masters'] })
  const config = kubeconfig(state.server, state.authority.certificate, 'test-admin', admin)
  await writeFile(join(dir, ADMIN_FILE), config, { mode: 0o600 })
  await writeFile(join(dir, STATE_FILE), JSON.stringify(state), { mode: 0o600 })
}
