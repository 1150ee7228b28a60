/** Folders as the kubelet fills them for Secrets, ConfigMaps and CSI drivers (`pkg/volume/util/atomic_writer.go`). */
import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

let count = 0

/**
 * Gives the folder these files in the place of all that it has, in one step; it is made if need be.
 * @param texts path in the folder → text
 */
export function swapFiles(folder: string, texts: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  const old = readdirSync(folder).includes('..data') ? readlinkSync(join(folder, '..data')) : undefined
  const next = `..2026_01_01_00_00_00.${++count}`
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(join(folder, next, path, '..'), { recursive: true })
    writeFileSync(join(folder, next, path), text)
  }
  symlinkSync(next, join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  const shown = readdirSync(folder).filter((name) => !name.startsWith('..'))
  const wanted = new Set(Object.keys(texts).map((path) => path.split('/')[0] ?? ''))
  for (const name of wanted) if (!shown.includes(name)) symlinkSync(join('..data', name), join(folder, name))
  for (const name of shown) if (!wanted.has(name)) rmSync(join(folder, name))
  if (old !== undefined) rmSync(join(folder, old), { recursive: true })
}
