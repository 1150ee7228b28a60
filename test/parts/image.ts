/** What an image of one layer is made of (OCI image specification, `config.md`). */
import { createHash } from 'node:crypto'

export interface Image {
  /** A tar that is not compressed. */
  layer: Buffer
  /** Absolute path and arguments of what runs in a container of it. */
  entrypoint: readonly string[]
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
