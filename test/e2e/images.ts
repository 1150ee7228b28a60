/** Images made without a build: one layer with busybox, which sleeps. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, type Image } from '../parts/image.ts'
import { partDir } from '../parts/parts.ts'

/** @param mark makes its digest differ from those of others */
export function sleeper(mark: string): Image {
  const busybox = readFileSync(join(partDir('containerd'), 'busybox'))
  const layer = tarOf([
    ['busybox', busybox, 0o755],
    ['mark', Buffer.from(mark), 0o644],
  ])
  return { layer, entrypoint: ['/busybox', 'sleep', '2147483647'] }
}

/** The image under this name as `docker save` writes it, for `ctr images import`. */
export function archiveOf(name: string, image: Image): Buffer {
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
  return tarOf([
    ['manifest.json', Buffer.from(JSON.stringify(manifest)), 0o644],
    ['config.json', configOf(image), 0o644],
    ['layer.tar', image.layer, 0o644],
  ])
}

type File = [name: string, content: Buffer, mode: number]

const blockSize = 512

function tarOf(files: readonly File[]): Buffer {
  return Buffer.concat([...files.flatMap(entryOf), Buffer.alloc(2 * blockSize)])
}

/** A regular file of root, in the format of POSIX (ustar). */
function entryOf([name, content, mode]: File): Buffer[] {
  const header = Buffer.alloc(blockSize)
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  header.write(name, 0)
  header.write(octal(mode, 8), 100)
  header.write(octal(0, 8), 108) // owner
  header.write(octal(0, 8), 116) // group
  header.write(octal(content.length, 12), 124)
  header.write(octal(0, 12), 136) // time
  header.write(' '.repeat(8), 148) // what the sum counts in its own place
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 7)} `, 148)
  return [header, content, Buffer.alloc(-content.length & (blockSize - 1))]
}
