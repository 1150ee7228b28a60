/**
 * A real Kubernetes control plane on this machine: etcd, kube-apiserver and
 * kube-controller-manager (which makes the default ServiceAccounts, collects
 * garbage and finishes the deletion of namespaces). There is no node.
 *
 * Everything is in one temporary folder and ends with the process that started
 * it, however that ends (guard.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, describeCluster, openCluster } from './access.ts'
import { createAuthority } from './certificates.ts'
import { apiserverUrl, type Components, createComponents, etcdUrl, writeFiles } from './components.ts'
import { messageOf } from './errors.ts'
import { startGuard } from './guard.ts'
import { freePorts } from './ports.ts'
import { elapsed, type Say, sayOn, withStatus } from './progress.ts'
import { provision } from './provision.ts'
import { type Binaries, KUBERNETES_VERSION } from './versions.ts'
import { eventually } from './wait.ts'

export type { Cluster, Identity } from './access.ts'
export type { AuditEntry } from './audit.ts'
export type { Server } from './server.ts'

/**
 * A control plane of one's own: the owner may stop, freeze and restart its
 * parts. The data outlive them, and so do the API server's port and certificates.
 */
export interface OwnedCluster extends Cluster, Components {
  /** Where etcd listens for clients. */
  etcdUrl: string
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Where progress goes; default stderr. */
  say?: Say
  /** Keep every version of every object in etcd, as JSON, to be looked at afterwards (test/faults/history.ts). */
  history?: boolean
}

const ATTEMPTS = 3

async function launch(binaries: Binaries, history: boolean): Promise<OwnedCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'regcred-cluster-'))
  const guard = startGuard(dir)
  const authority = createAuthority('test-cluster-ca')
  const [etcd = 0, etcdPeers = 0, apiserver = 0] = await freePorts(3)
  const ports = { etcd, etcdPeers, apiserver }
  const components = createComponents(dir, ports, authority, binaries, guard, history)

  async function stop(): Promise<void> {
    await Promise.all(Object.values(components).map((server) => server.stop()))
    await rm(dir, { recursive: true, force: true })
    guard.end()
  }

  try {
    await writeFiles(dir, ports, authority)
    await describeCluster(dir, { server: apiserverUrl(ports), authority, binaries })
    await components.etcd.start()
    await components.apiserver.start()
    await components.controllerManager.start()
    const cluster = openCluster(dir)
    // Made by the controller manager: from here on a namespace gets what it has in any cluster.
    await eventually(async () => void (await cluster.kubectl('get', 'serviceaccount', 'default', '-n', 'default')), {
      describe: 'the ServiceAccount "default"',
    })
    return { ...cluster, ...components, etcdUrl: etcdUrl(ports), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts a control plane; provisions its binaries first if need be. */
export async function startCluster(options: ClusterOptions = {}): Promise<OwnedCluster> {
  const { say = sayOn(process.stderr), history = false } = options
  const binaries = await provision(say)
  const start = Date.now()
  for (let attempt = 1; ; attempt++) {
    try {
      const cluster = await withStatus(
        say,
        () => `Starting Kubernetes ${KUBERNETES_VERSION}`,
        () => launch(binaries, history),
      )
      say(`Control plane started (${elapsed(Date.now() - start)}): ${cluster.server}`)
      return cluster
    } catch (error) {
      // Between our look and its use another process took one of the ports.
      const portTaken = messageOf(error).includes('address already in use')
      if (!portTaken || attempt === ATTEMPTS) throw error
    }
  }
}
