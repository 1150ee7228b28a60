/**
 * The two images that the Dockerfile begins with, played by images of this machine's packages under their names, so that
 * nothing is fetched from a registry of images: one with a shell, npm and Node to build in, one with Node alone to run on.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUSYBOX, RUNTIME } from '../parts/buildah-part.ts'
import { partDir } from '../parts/parts.ts'

/** A folder with the files of an image and, beside them, a Dockerfile that takes them all. */
export interface StandIn {
  name: string
  context: string
  dockerfile: string
}

const root = join(import.meta.dirname, '..', '..')
/** Of the package `node`: the Node of the same version as the image's. */
const node = join(root, 'node_modules', 'node', 'bin', 'node')
/** Commands of the Dockerfile, and what npm starts scripts with. */
const commands = ['sh', 'env', 'cp', 'chmod', 'rm']
/** What a machine may say of its package registry in the environment. */
const passedOn = ['npm_config_registry', 'NODE_EXTRA_CA_CERTS']
const users = 'root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n'

/** What commands of the building image see of this machine: where its packages come from, and those that it has already. */
export function npmVolumes(): string[] {
  const places = [
    { from: process.env.npm_config_userconfig, to: '/root/.npmrc:ro' },
    { from: process.env.npm_config_globalconfig, to: '/usr/local/etc/npmrc:ro' },
    { from: process.env.npm_config_cache, to: '/root/.npm' },
    { from: process.env.NODE_EXTRA_CA_CERTS, to: `${process.env.NODE_EXTRA_CA_CERTS}:ro` },
  ]
  return places.flatMap(({ from = '', to }) => (existsSync(from) ? ['--volume', `${realpathSync(from)}:${to}`] : []))
}

/** The folder of the npm that has started this. */
function npmFolder(): string {
  if (process.env.npm_execpath === undefined)
    throw new Error('images are built under npm: npm run test:only -- test/image')
  return join(realpathSync(process.env.npm_execpath), '..', '..')
}

function standIn(folder: string, name: string, config: string[]): StandIn {
  const context = join(folder, 'root')
  execFileSync('cp', ['-a', join(partDir('buildah'), RUNTIME), context])
  writeFileSync(join(context, 'etc', 'passwd'), users)
  const dockerfile = join(folder, 'Dockerfile')
  writeFileSync(dockerfile, ['FROM scratch', 'COPY . /', ...config, ''].join('\n'))
  return { name, context, dockerfile }
}

/** @param folder an empty one */
export function runningImage(folder: string): StandIn {
  const image = standIn(folder, 'gcr.io/distroless/nodejs24-debian13:nonroot', ['USER 65532'])
  mkdirSync(join(image.context, 'nodejs', 'bin'), { recursive: true })
  cpSync(node, join(image.context, 'nodejs', 'bin', 'node'))
  return image
}

/** @param folder an empty one */
export function buildingImage(folder: string): StandIn {
  const image = standIn(folder, 'docker.io/library/node:24-slim', [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin npm_config_prefer_offline=true',
    ...passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [`ENV ${name}=${process.env[name]}`])),
  ])
  const local = join(image.context, 'usr', 'local')
  mkdirSync(join(local, 'bin'), { recursive: true })
  cpSync(node, join(local, 'bin', 'node'))
  cpSync(npmFolder(), join(local, 'lib', 'node_modules', 'npm'), { recursive: true, dereference: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'))
  cpSync(join(partDir('buildah'), BUSYBOX), join(local, 'bin', 'busybox'))
  for (const command of commands) symlinkSync('busybox', join(local, 'bin', command))
  // Where scripts look for them, whether these folders are links to /usr or not.
  for (const path of ['bin/sh', 'usr/bin/env']) symlinkSync('/usr/local/bin/busybox', join(image.context, path))
  return image
}
