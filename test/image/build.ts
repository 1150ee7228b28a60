/** Builds the image from the Dockerfile as it stands, by buildah, on stand-ins for the images that it begins with. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../cluster/command.ts'
import { TOOLS } from '../parts/buildah-part.ts'
import { partDir } from '../parts/parts.ts'
import { buildingImage, npmVolumes, runningImage } from './stand-ins.ts'

export interface ImageBuild {
  /** The OCI archive that is written. */
  archive: string
  /** With a tag; containerd gives the image this name when the archive is imported. */
  name: string
  /** The clone that it is built from; default this one. */
  clone?: string
  /** Default this machine's. The programs of the base are this machine's either way: others are to look at only. */
  architecture?: Architecture
}

export type Architecture = 'amd64' | 'arm64'

export interface Builder {
  /** Takes about a minute. */
  build(image: ImageBuild): Promise<void>
  /** Its images are gone; the archives stay. */
  close(): void
}

/** What the workflow takes from the commit. */
export const commit = {
  VERSION: '1.2.3',
  REVISION: '0123456789abcdef0123456789abcdef01234567',
  SOURCE: 'https://github.com/acme/regcred-operator',
  CREATED: '2026-01-02T03:04:05Z',
}
/** Seconds since the epoch. */
const epoch = Date.parse(commit.CREATED) / 1000

const root = join(import.meta.dirname, '..', '..')
export const own: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'

/** Runs buildah, away from what the machine has set up for it. */
type Buildah = (command: string, ...args: string[]) => Promise<void>

/** @param folder for its images and settings */
function buildahIn(folder: string): Buildah {
  const tools = join(partDir('buildah'), TOOLS)
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const registries = write('registries.conf', 'unqualified-search-registries = ["docker.io"]\n')
  const policy = write('policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}')
  const env = {
    ...process.env,
    CONTAINERS_CONF: write('containers.conf', ''),
    CONTAINERS_STORAGE_CONF: write('storage.conf', '[storage]\ndriver = "vfs"\n'),
    TMPDIR: folder,
  }
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  const libraries = globSync('{usr/,}lib/*-linux-gnu', { cwd: tools }).map((path) => join(tools, path))
  const cache = join(folder, 'ld.so.cache')
  execFileSync('ldconfig', ['-X', '-C', cache, '-f', write('ld.so.conf', libraries.join('\n'))])
  // What buildah starts to run commands has none of our environment: by this, it finds the libraries as any program does.
  const withLibraries = ['--mount', 'sh', '-c', 'mount --bind "$0" /etc/ld.so.cache && exec "$@"', cache]
  const binary = join(tools, 'usr', 'bin', 'buildah')
  return (command, ...args) =>
    runCommand(
      `buildah ${command}`,
      'unshare',
      [
        ...[...withLibraries, binary, ...store],
        ...['--registries-conf', registries, command, '--signature-policy', policy, ...args],
      ],
      { env },
    )
}

/** Only where `partMissing('buildah')` says nothing. It has the stand-ins for both platforms under one name, as the true ones are. */
export async function openBuilder(): Promise<Builder> {
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  const close = () => rmSync(folder, { recursive: true, force: true })
  const buildah = buildahIn(folder)
  const isolated = ['--isolation', 'chroot', '--network', 'host', '--pull-never']
  try {
    for (const make of [buildingImage, runningImage]) {
      const { name, context, dockerfile } = make(mkdtempSync(join(folder, 'stand-in-')))
      const both = ['--platform', 'linux/amd64,linux/arm64', '--manifest', name]
      await buildah('build', ...isolated, ...both, '--file', dockerfile, context)
    }
  } catch (error) {
    close()
    throw error
  }
  const told = Object.entries(commit).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
  const dated = ['--timestamp', String(epoch)]
  return {
    async build({ archive, name, clone = root, architecture = own }) {
      const platform = ['--platform', `linux/${architecture}`]
      await buildah('build', ...isolated, ...platform, ...dated, ...told, ...npmVolumes(), '--tag', name, clone)
      await buildah('push', name, `oci-archive:${archive}:${name}`)
    },
    close,
  }
}

/** One image; see `openBuilder`. */
export async function buildImage(image: ImageBuild): Promise<void> {
  const builder = await openBuilder()
  try {
    await builder.build(image)
  } finally {
    builder.close()
  }
}
