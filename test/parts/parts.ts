/**
 * The programs beside the control plane that tests run against: real ones, in
 * the project's cache (test/cluster/cache.ts), each pinned by a file of its own.
 */
import { join } from 'node:path'
import { cacheDir, cacheRoot, type Part } from '../cluster/cache.ts'
import { messageOf } from '../cluster/errors.ts'
import { buildGo } from '../cluster/go.ts'
import { missingFrom } from '../cluster/locate.ts'
import { pinned } from '../cluster/versions.ts'
import { buildahPart } from './buildah-part.ts'
import { monitoringCrdsPart } from './monitoring-crds.ts'
import { motoPart } from './moto-part.ts'
import { containerdPart, kubeletPart } from './node-parts.ts'
import { prometheusPart } from './prometheus-part.ts'

export type PartName =
  | 'registry'
  | 'ecr-credential-provider'
  | 'argocd-health'
  | 'helm'
  | 'monitoring-crds'
  | 'moto'
  | 'prometheus'
  | 'buildah'
  | 'kubelet'
  | 'containerd'

interface GoPart {
  /** For messages, for instance `registry`. */
  name: string
  /** Of the module, in this folder, and of the program. */
  program: string
  /** Its line in the module's go.mod. */
  version: RegExp
  /** Import path of the command, unless the module has a `main.go`. */
  path?: string
  /** Full name of the Go variable that a release of the program is told its version by. */
  versionVariable?: string
}

function goPart({ name, program, version, path, versionVariable }: GoPart): Part {
  const moduleDir = join(import.meta.dirname, program)
  const goMod = join(moduleDir, 'go.mod')
  const title = `the ${name} ${pinned(goMod, version)}`
  const variables = versionVariable === undefined ? {} : { [versionVariable]: pinned(goMod, version) }
  const files = ['go.mod', 'go.sum', ...(path === undefined ? ['main.go'] : [])]
  return {
    name,
    folder: `${program}-${pinned(goMod, version)}`,
    sources: files.map((file) => join(moduleDir, file)),
    programs: [program],
    fillers: {
      build: (into, say) =>
        buildGo(
          { goMod, variables, about: { title, takes: 'a minute or two' }, ...(path && { path }) },
          join(into, program),
          say,
        ),
    },
    cure: `install Go ${pinned(goMod, /^go (\S+)$/m)} or newer with a Go module proxy in reach.`,
  }
}

/** Each throws a sentence when this machine cannot have the part. */
export const PARTS: Record<PartName, () => Part> = {
  registry: () =>
    goPart({
      name: 'registry',
      program: 'registry',
      version: /^require github\.com\/distribution\/distribution\/v3 (v\S+)$/m,
    }),
  'ecr-credential-provider': () =>
    goPart({
      name: 'ECR credential provider',
      program: 'ecr-credential-provider',
      version: /^\s*k8s\.io\/cloud-provider-aws (v\S+)/m,
      path: 'k8s.io/cloud-provider-aws/cmd/ecr-credential-provider',
    }),
  'argocd-health': () =>
    goPart({
      name: 'interpreter of Argo CD',
      program: 'argocd-health',
      version: /^require github\.com\/yuin\/gopher-lua (v\S+)$/m,
    }),
  helm: () =>
    goPart({
      name: 'helm',
      program: 'helm',
      version: /^require helm\.sh\/helm\/v4 (v\S+)$/m,
      versionVariable: 'helm.sh/helm/v4/internal/version.version',
    }),
  'monitoring-crds': monitoringCrdsPart,
  moto: motoPart,
  prometheus: prometheusPart,
  buildah: buildahPart,
  kubelet: kubeletPart,
  containerd: containerdPart,
}

/** Parts that a machine may lack: the tests that need them are skipped there (skip.ts). */
export const OPTIONAL: ReadonlySet<string> = new Set<PartName>([
  'moto',
  'prometheus',
  'buildah',
  'kubelet',
  'containerd',
])

/** The part's folder in the cache; throws a sentence that says why there is none. */
export function partDir(name: PartName): string {
  const part = PARTS[name]()
  const dir = cacheDir(cacheRoot(), part)
  if (missingFrom(dir, part.programs).length === 0) return dir
  throw new Error(
    `the ${part.name} is not provisioned; \`node test/parts/provision.ts\` does it, or says why it cannot`,
  )
}

/** Why one of the parts cannot be used; undefined when all can. */
export function partMissing(...names: PartName[]): string | undefined {
  try {
    for (const name of names) partDir(name)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
