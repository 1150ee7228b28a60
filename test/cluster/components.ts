/** The three servers of a control plane: their files and their flags. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AUDIT_FILE } from './access.ts'
import { AUDIT_POLICY } from './audit.ts'
import { type Authority, clientCertificate, serverCertificate } from './certificates.ts'
import type { Guard } from './guard.ts'
import { kubeconfig } from './kubeconfig.ts'
import { assertReady } from './ready.ts'
import { createServer, type Server } from './server.ts'
import type { Binaries } from './versions.ts'

export interface Ports {
  etcd: number
  etcdPeers: number
  apiserver: number
}

export interface Components {
  etcd: Server
  apiserver: Server
  controllerManager: Server
}

export const apiserverUrl = (ports: Ports): string => `https://127.0.0.1:${ports.apiserver}`
export const etcdUrl = (ports: Ports): string => `http://127.0.0.1:${ports.etcd}`

/** Addresses of Services: of those for tests of networks (RFC 2544), since a node has one of them on this machine. */
const serviceNetwork = '198.19.0.0/24'
/** Of the Service `kubernetes`, by which pods know the API server: the first, as in any cluster. */
export const apiserverAddress = '198.19.0.1'

/** Every version of every object stays in etcd, as JSON. */
const keepHistory = ['--storage-media-type=application/json', '--etcd-compaction-interval=0']

/** Writes keys, certificates and configuration into `dir`. */
export async function writeFiles(dir: string, ports: Ports, authority: Authority): Promise<void> {
  const tls = serverCertificate(authority, 'kube-apiserver', apiserverAddress)
  const tokens = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const manager = 'system:kube-controller-manager'
  const certificate = clientCertificate(authority, { commonName: manager })
  const files = {
    'ca.crt': authority.certificate,
    'apiserver.crt': tls.certificate,
    'apiserver.key': tls.key,
    'service-account.pub': tokens.publicKey.export({ type: 'spki', format: 'pem' }),
    'service-account.key': tokens.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'audit-policy.json': JSON.stringify(AUDIT_POLICY),
    'controller-manager.kubeconfig': kubeconfig(apiserverUrl(ports), authority.certificate, manager, certificate),
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content, { mode: 0o600 })
}

/** The servers, not started yet; they go in the order etcd, API server, controller manager. */
export function createComponents(
  dir: string,
  ports: Ports,
  authority: Authority,
  binaries: Binaries,
  guard: Guard,
  history: boolean,
): Components {
  const at = (name: string): string => join(dir, name)
  const peersUrl = `http://127.0.0.1:${ports.etcdPeers}`
  return {
    etcd: createServer({
      name: 'etcd',
      binary: binaries.etcd,
      args: [
        `--data-dir=${at('etcd')}`,
        `--listen-client-urls=${etcdUrl(ports)}`,
        `--advertise-client-urls=${etcdUrl(ports)}`,
        `--listen-peer-urls=${peersUrl}`,
        `--initial-advertise-peer-urls=${peersUrl}`,
        `--initial-cluster=default=${peersUrl}`,
        '--unsafe-no-fsync', // nobody needs these data after a power cut
        '--log-level=warn',
      ],
      logFile: at('etcd.log'),
      guard,
      ready: () => assertReady(`${etcdUrl(ports)}/health`),
    }),
    apiserver: createServer({
      name: 'kube-apiserver',
      binary: binaries.kubeApiserver,
      args: [
        `--etcd-servers=${etcdUrl(ports)}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1', // without it, a machine that has no network cannot start it
        `--secure-port=${ports.apiserver}`,
        `--tls-cert-file=${at('apiserver.crt')}`,
        `--tls-private-key-file=${at('apiserver.key')}`,
        `--client-ca-file=${at('ca.crt')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${at('service-account.pub')}`,
        `--service-account-signing-key-file=${at('service-account.key')}`,
        `--service-cluster-ip-range=${serviceNetwork}`,
        '--authorization-mode=RBAC,Node',
        '--enable-admission-plugins=NodeRestriction', // as in any cluster with nodes
        '--feature-gates=ImageVolume=true', // the default since 1.35
        '--endpoint-reconciler-type=none',
        `--audit-policy-file=${at('audit-policy.json')}`,
        `--audit-log-path=${at(AUDIT_FILE)}`,
        '--audit-log-mode=blocking', // a request is in the log before its answer is sent
        '--audit-log-maxsize=10000', // MB: one file, never rotated
        ...(history ? keepHistory : []),
      ],
      logFile: at('kube-apiserver.log'),
      guard,
      ready: () => assertReady(`${apiserverUrl(ports)}/readyz`, authority.certificate),
    }),
    controllerManager: createServer({
      name: 'kube-controller-manager',
      binary: binaries.kubeControllerManager,
      args: [
        `--kubeconfig=${at('controller-manager.kubeconfig')}`,
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${at('service-account.key')}`,
        `--root-ca-file=${at('ca.crt')}`,
        '--leader-elect=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--secure-port=0', // nobody asks it anything
      ],
      logFile: at('kube-controller-manager.log'),
      guard,
      // Its work tells that it runs: see startCluster.
      ready: () => Promise.resolve(),
    }),
  }
}
