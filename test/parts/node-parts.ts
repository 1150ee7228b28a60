/** What a node is made of: the kubelet of the control plane's version, and containerd with what it needs. */
import { join } from 'node:path'
import { versionVariables } from '../cluster/build.ts'
import type { Part } from '../cluster/cache.ts'
import { runCommand } from '../cluster/command.ts'
import { downloadProgram } from '../cluster/download.ts'
import { buildGo } from '../cluster/go.ts'
import { GO_MOD, GO_VERSION, KUBERNETES_VERSION, MODULE_FILES } from '../cluster/versions.ts'
import { checkApt, unpackPrograms } from './apt.ts'

/** The plugins that give pods a network (test/e2e/pod-network.ts). */
const networkPlugins = ['loopback', 'ptp', 'host-local']
const containerdPrograms = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', ...networkPlugins, 'busybox']
const containerdPackages = ['containerd', 'runc', 'containernetworking-plugins', 'busybox-static']

/** Throws a sentence when this machine can be no node. */
function checkRoot(what: string): void {
  if (process.platform !== 'linux') throw new Error(`${what} runs on Linux only`)
  if (process.getuid?.() !== 0) throw new Error(`${what} runs as root only`)
}

/** A program of its own beside the control plane, since only few machines can run it. */
export function kubeletPart(): Part {
  checkRoot('a kubelet')
  const about = { title: `the kubelet ${KUBERNETES_VERSION}`, takes: '6 to 8 minutes' }
  return {
    name: 'kubelet',
    folder: `kubelet-${KUBERNETES_VERSION}`,
    sources: [...MODULE_FILES, import.meta.filename],
    programs: ['kubelet'],
    fillers: {
      download: (into, say) => downloadProgram('kubelet', into, say),
      build: (into, say) => {
        const path = 'k8s.io/kubernetes/cmd/kubelet'
        const program = { goMod: GO_MOD, path, variables: versionVariables(), about }
        return buildGo(program, join(into, 'kubelet'), say)
      },
    },
    cure: `connect to the internet, or install Go ${GO_VERSION} or newer with a Go module proxy in reach.`,
  }
}

/** With busybox, which images are made of. Tried with containerd 1.6 and 2.4. */
export function containerdPart(env: NodeJS.ProcessEnv = process.env): Part {
  checkRoot('containerd')
  checkApt('containerd', env)
  return {
    name: 'containerd',
    folder: 'containerd-of-apt',
    sources: [import.meta.filename, join(import.meta.dirname, 'apt.ts')],
    programs: containerdPrograms,
    fillers: {
      apt: async (into, say) => {
        say('Taking containerd from its Debian package; this takes some seconds')
        await unpackPrograms(into, containerdPackages, containerdPrograms, env)
        // Unlike the others it needs a library that a machine may lack.
        await runCommand('runc --version', join(into, 'runc'), ['--version'], { env })
      },
    },
    cure: `see to it that \`apt-get download ${containerdPackages.join(' ')}\` works, and that libseccomp2 is installed.`,
  }
}
