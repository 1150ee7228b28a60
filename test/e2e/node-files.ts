/** The files of a node: the configurations of its containerd and its kubelet. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { partDir } from '../parts/parts.ts'
import { podNetwork } from './pod-network.ts'

/** The image of what holds a pod's namespaces. Nobody pulls it: it is imported. */
export const sandboxImage = 'example.local/pause:1'

/** At most 107 characters long. */
export function socketIn(dir: string): string {
  return join(dir, 'containerd.sock')
}

/** Of containerd 1.6; later ones understand it too. */
function containerdConfig(dir: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `\
version = 2
root = "${dir}/root"
state = "${dir}/state"
[grpc]
  address = "${socketIn(dir)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/opt"
[${cri}]
  sandbox_image = "${sandboxImage}"
  disable_apparmor = true
  # Machines that are virtual ones themselves may lack CAP_SYS_RESOURCE.
  restrict_oom_score_adj = true
  # Where they are found when all is cleaned up.
  netns_mounts_under_state_dir = true
  [${cri}.cni]
    conf_dir = "${dir}/cni"
    bin_dir = "${partDir('containerd')}"
  [${cri}.registry]
    config_path = "${dir}/registries"
`
}

/** `kubelet.config.k8s.io/v1beta1`. It throws nothing out for want of space, and reserves nothing. */
function kubeletConfig(dir: string, port: number): object {
  const signals = [
    'memory.available',
    'nodefs.available',
    'nodefs.inodesFree',
    'imagefs.available',
    'imagefs.inodesFree',
  ]
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${socketIn(dir)}`,
    address: '127.0.0.1',
    port,
    readOnlyPort: 0,
    healthzPort: 0,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    enforceNodeAllocatable: [],
    featureGates: { KubeletEnsureSecretPulledImages: true }, // the default since 1.35
    evictionHard: Object.fromEntries(signals.map((signal) => [signal, '0%'])),
    imageGCHighThresholdPercent: 100,
    podLogsDir: join(dir, 'pod-logs'),
    volumePluginDir: join(dir, 'volume-plugins'),
    resolvConf: '/etc/resolv.conf',
  }
}

/** Writes them into `dir`, an absolute path. @param port of the kubelet */
export async function writeNodeFiles(dir: string, port: number): Promise<void> {
  await mkdir(join(dir, 'cni'))
  await writeFile(join(dir, 'cni', 'pods.conflist'), JSON.stringify(podNetwork(dir)))
  await writeFile(join(dir, 'containerd.toml'), containerdConfig(dir))
  // JSON is YAML.
  await writeFile(join(dir, 'kubelet.yaml'), JSON.stringify(kubeletConfig(dir, port)))
}

/** From the next pull on, containerd asks `url` in place of the registry. */
export async function writeMirror(dir: string, registry: string, url: string): Promise<void> {
  const folder = join(dir, 'registries', registry)
  await mkdir(folder, { recursive: true })
  // containerd 1.6 ignores a file without any host.
  await writeFile(
    join(folder, 'hosts.toml'),
    `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`,
  )
}
