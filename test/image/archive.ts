/** An OCI archive, looked at: what the image says of itself, and its layers. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Descriptor, Layout } from '../parts/image.ts'

export interface Image {
  architecture: string
  created: string
  config: {
    User: string
    Entrypoint: string[]
    Env: string[]
    ExposedPorts: Record<string, object>
    Labels: Record<string, string>
  }
  layers: Layer[]
  /** The folder with the files of all layers, owned as in the image. */
  files: string
}

export interface Layer {
  digest: string
  /** Bytes, as they are pulled: compressed. */
  size: number
  files: LayerFile[]
}

export interface LayerFile {
  path: string
  /** As `ls -l` has it. */
  mode: string
  /** Numbers of the user and the group. */
  owner: string
  /** Day and time in UTC. */
  date: string
}

const tar = (...args: string[]) => execFileSync('tar', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })

// drwxr-xr-x 0/0               0 2026-01-02 03:04:05 app/
function layerFile(line: string): LayerFile {
  const [, mode = '', owner = '', date = '', path = ''] = /^(\S+) (\S+) +\d+ (\S+ \S+) (.*)$/.exec(line) ?? []
  return { path, mode, owner, date }
}

/** @param folder an empty one, for its blobs */
export function openLayout(archive: string, folder: string): Layout {
  tar('-xf', archive, '-C', folder)
  const blob = (descriptor: Descriptor) => readFileSync(blobFile(folder, descriptor))
  const [descriptor]: Descriptor[] = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests
  if (descriptor === undefined) throw new Error(`${archive} has no image`)
  return { descriptor, blob, ...JSON.parse(blob(descriptor).toString()) }
}

const blobFile = (layout: string, { digest }: Descriptor) => join(layout, 'blobs', ...digest.split(':'))

/** @param folder an empty one, for its files */
export function openArchive(archive: string, folder: string): Image {
  const layout = join(folder, 'layout')
  const files = join(folder, 'files')
  for (const each of [layout, files]) mkdirSync(each, { recursive: true })
  const { blob, ...manifest } = openLayout(archive, layout)
  const layers = manifest.layers.map((layer) => {
    const file = blobFile(layout, layer)
    tar('-xzf', file, '-C', files)
    const listed = tar('--numeric-owner', '--full-time', '-tvzf', file).trimEnd().split('\n')
    return { digest: layer.digest, size: layer.size, files: listed.map(layerFile) }
  })
  const { architecture, created, config } = JSON.parse(blob(manifest.config).toString())
  return { architecture, created, config, layers, files }
}
