/** What an image of one layer is made of (OCI image specification, `config.md`). */
import { createHash } from 'node:crypto'

export interface Image {
  /** A tar that is not compressed. */
  layer: Buffer
  /** Absolute path and arguments of what runs in a container of it. */
  entrypoint: readonly string[]
}

/** What a manifest says of a blob (OCI image specification, `descriptor.md`). */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

/** As it is pulled: blobs by their digests, of which one describes the others (`image-layout.md`). */
export interface Layout {
  /** Of the manifest. */
  descriptor: Descriptor
  config: Descriptor
  layers: Descriptor[]
  blob(descriptor: Descriptor): Buffer
}

/** Go's names, for instance of x64. */
const architecture = process.arch === 'x64' ? 'amd64' : process.arch

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Its configuration, which Docker's archives and OCI's manifests share. */
export function configOf({ layer, entrypoint }: Image): Buffer {
  const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
  return Buffer.from(JSON.stringify({ architecture, os: 'linux', config: { Entrypoint: entrypoint }, rootfs }))
}
