/**
 * The network of pods that have one of their own: each is joined with this machine by a pair of virtual interfaces (CNI's
 * plugin ptp), so that the kubelet can ask its probes, and finds the API server at the address of the Service `kubernetes`.
 * In place of kube-proxy this machine has that address itself, and passes connections on. There are no other Services, no DNS,
 * nobody who enforces NetworkPolicies, and no way to the outside.
 */
import { execFile } from 'node:child_process'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { apiserverAddress } from '../cluster/components.ts'
import { startTcpProxy } from '../kube/tcp-proxy.ts'
import { partDir } from '../parts/parts.ts'

export interface PodNetwork {
  /** What was changed of this machine is changed back later, by clean-up.sh. */
  close(): Promise<void>
}

/** Beside those of Services (components.ts), and like them nobody's. */
const podAddresses = '198.19.1.0/24'

/** In the format of CNI. @param dir the node's */
export function podNetwork(dir: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(dir, 'addresses'),
    ranges: [[{ subnet: podAddresses }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return { cniVersion: '1.0.0', name: 'regcred-test', plugins: [{ type: 'ptp', ipam }] }
}

/**
 * @param dir the node's; in it is noted what there is to change back
 * @param server URL of the API server
 */
export async function openPodNetwork(dir: string, server: string): Promise<PodNetwork> {
  // The plugin sets it, and leaves it so.
  await writeFile(join(dir, 'ip_forward'), await readFile('/proc/sys/net/ipv4/ip_forward'))
  const ip = join(dir, 'ip')
  await symlink(join(partDir('containerd'), 'busybox'), ip)
  await writeFile(join(dir, 'apiserver-address'), `${apiserverAddress}/32`)
  await promisify(execFile)(ip, ['address', 'replace', `${apiserverAddress}/32`, 'dev', 'lo'])
  return await startTcpProxy(server, { host: apiserverAddress, port: 443 })
}
