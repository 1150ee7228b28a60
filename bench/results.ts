/** The files that are kept of a measurement, in bench/results. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './stage.ts'

/** @param files by name */
export async function writeResults(files: Record<string, string>): Promise<void> {
  const folder = join(root, 'bench', 'results')
  await mkdir(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}
