/** Which program `source.exec` runs: only what the installation has put into its folder, and nobody else can change. */
import { access, constants, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isBelow } from './contained-file.ts'
import { SourceProblem } from './source-problem.ts'

/** Seconds: a plugin comes with the pod of the operator, or by hand; nothing tells of it. */
const missingRetrySeconds = 60

/**
 * The real path of a plugin.
 * @param dir `settings.execPluginDir`
 * @throws SourceProblem
 */
export async function pluginFile(dir: string | undefined, plugin: string): Promise<string> {
  if (dir === undefined) {
    throw invalid('The installation sets no --exec-plugin-dir, so no plugin may be run; have it set.')
  }
  const [root, file] = await Promise.all([real(dir), real(join(dir, plugin))])
  if (root === undefined || file === undefined) {
    throw new SourceProblem(
      'SourceNotFound',
      `Plugin ${plugin} is not in --exec-plugin-dir, or cannot be reached there; put it there.`,
      missingRetrySeconds,
    )
  }
  if (!isBelow(root, file)) {
    throw invalid(`Plugin ${plugin} is a link out of --exec-plugin-dir; put the program itself there.`)
  }
  const status = await stat(file)
  if (!status.isFile()) throw invalid(`Plugin ${plugin} is no regular file; put a program there.`)
  if (status.mode & constants.S_IWOTH) {
    throw invalid(`Plugin ${plugin} can be written by everybody; take that away (chmod o-w).`)
  }
  if (!(await isExecutable(file))) {
    throw invalid(`Plugin ${plugin} is not executable for the user the operator runs as; make it so (chmod a+rx).`)
  }
  return file
}

async function real(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch {
    return undefined
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function invalid(message: string): SourceProblem {
  return new SourceProblem('SourceInvalid', message)
}
