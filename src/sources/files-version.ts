/**
 * What the files of a credential are at, told without reading them. The kubelet and CSI drivers keep the files of a volume
 * in a folder that `..data` points to, and change all of them at once by pointing it to another one.
 */
import { realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, isMissing } from './contained-file.ts'

/** What `source.files` reads: docker configs, or a login in two files. */
export const configNames = ['.dockerconfigjson', 'config.json', '.dockercfg'] as const
export const loginNames = ['username', 'password'] as const

/** Differs when the content of the folder `name` in `dir` does; 'absent' when there is no such folder. */
export function filesVersion(dir: string, name: string): string {
  try {
    const folder = dataFolder(join(dir, name))
    return JSON.stringify([folder, ...[...configNames, ...loginNames].map((file) => identityOf(join(folder, file)))])
  } catch (error) {
    return isMissing(error) ? 'absent' : codeOf(error)
  }
}

/** The real path of the folder that holds the files. @throws what the file system says */
export function dataFolder(folder: string): string {
  const real = realpathSync.native(folder)
  try {
    return realpathSync.native(join(real, '..data'))
  } catch (error) {
    if (isMissing(error)) return real
    throw error
  }
}

/** The time of the last change of the inode tells of writes that set the other time back. */
function identityOf(path: string): string {
  try {
    const real = realpathSync.native(path)
    const { ino, size, mtimeNs, ctimeNs } = statSync(real, { bigint: true })
    return [real, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    return codeOf(error)
  }
}
