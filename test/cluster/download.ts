/**
 * Fetches published binaries, where the internet can be reached.
 *
 * etcd, kube-apiserver and kubectl come from the envtest archives of
 * kubernetes-sigs/controller-tools (SHA-512 in their index); the controller
 * manager, which those lack, comes from the Kubernetes release of the same
 * version (SHA-512 beside each file). Nothing is used before its sum is right.
 */
import { execFile } from 'node:child_process'
import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { fetchVerified, get } from './fetch.ts'
import { missingFrom } from './locate.ts'
import type { Say } from './progress.ts'
import { KUBERNETES_VERSION } from './versions.ts'

/** Where the files are published. */
export interface Origins {
  /** URL of the index of envtest archives. */
  index: string
  /** URL below which `<version>/bin/<os>/<arch>/<program>` and `….sha512` are found. */
  release: string
}

export const ORIGINS: Origins = {
  index: 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml',
  release: 'https://dl.k8s.io/release',
}

/** version → file name → where it is and its SHA-512 in hex. */
interface ReleaseIndex {
  releases: Record<string, Record<string, { hash: string; selfLink: string }>>
}

async function fetchIndex(url: string): Promise<ReleaseIndex> {
  const text = await (await get(url)).text()
  try {
    const index = parse(text) as ReleaseIndex | null
    if (index?.releases !== undefined) return index
  } catch {
    // For instance the page of a login portal.
  }
  throw new Error(`${url} is not the index of envtest archives`)
}

/** The pinned version if it is published, else the highest patch release of the same minor version. */
function chooseVersion(index: ReleaseIndex): string {
  if (KUBERNETES_VERSION in index.releases) return KUBERNETES_VERSION
  const minor = KUBERNETES_VERSION.replace(/\d+$/, '')
  const patches = Object.keys(index.releases)
    .filter((version) => version.startsWith(minor) && /^\d+$/.test(version.slice(minor.length)))
    .map((version) => Number(version.slice(minor.length)))
  if (patches.length === 0) throw new Error(`no envtest archive of ${minor}x is published`)
  return `${minor}${Math.max(...patches)}`
}

/** Names as Go has them, for instance `linux` and `amd64`. */
export interface Platform {
  os: string
  arch: string
}

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', ppc64: 'ppc64le' }
const THIS_PLATFORM: Platform = { os: process.platform, arch: ARCHITECTURES[process.arch] ?? process.arch }

/** Fills the empty folder `into` with all applets, or throws a sentence that says why not. */
export async function download(
  into: string,
  say: Say,
  origins: Origins = ORIGINS,
  { os, arch }: Platform = THIS_PLATFORM,
): Promise<void> {
  if (os !== 'linux') throw new Error(`no kube-controller-manager is published for ${os}`)

  const index = await fetchIndex(origins.index)
  const version = chooseVersion(index)
  const archive = index.releases[version]?.[`envtest-${version}-${os}-${arch}.tar.gz`]
  if (archive === undefined) throw new Error(`no envtest archive of ${version} is published for ${os}/${arch}`)

  say(`Downloading the control plane ${version}`)
  const file = join(into, 'envtest.tar.gz')
  await fetchVerified(archive.selfLink, archive.hash, file, say)
  // In the archive: controller-tools/envtest/<program>.
  await promisify(execFile)('tar', ['-xzf', file, '-C', into, '--strip-components=2'])
  await rm(file)

  for (const program of missingFrom(into)) {
    if (program === 'etcd') throw new Error(`the envtest archive of ${version} lacks etcd`)
    await fetchProgram(`${origins.release}/${version}/bin/${os}/${arch}`, program, into, say)
  }
}

/** Fetches another program of the pinned release into the folder `into`, or throws a sentence that says why not. */
export async function downloadProgram(
  program: string,
  into: string,
  say: Say,
  { release }: Pick<Origins, 'release'> = ORIGINS,
  { os, arch }: Platform = THIS_PLATFORM,
): Promise<void> {
  await fetchProgram(`${release}/${KUBERNETES_VERSION}/bin/${os}/${arch}`, program, into, say)
}

async function fetchProgram(folder: string, program: string, into: string, say: Say): Promise<void> {
  const url = `${folder}/${program}`
  await fetchVerified(url, await (await get(`${url}.sha512`)).text(), join(into, program), say)
  await chmod(join(into, program), 0o755)
}
