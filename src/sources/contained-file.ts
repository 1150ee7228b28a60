/**
 * Files below a folder of the installation. A link in there must not lead out of it, or a file of the operator, such as
 * the token of its ServiceAccount, could be made a login.
 */
import { constants, readlinkSync } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { SourceProblem } from './source-problem.ts'

const maxBytes = 1024 * 1024

export interface FileText {
  text: string
  changedAt: Date
}

/** @param root, path real paths */
export function isBelow(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep)
}

/** 'ENOENT' and the like; '' for what is no error of the file system. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error))
}

/**
 * The text of a file; undefined when there is none.
 * @param root the real path of the folder that it must be in
 * @param what people call it, at the start of a sentence
 * @throws SourceProblem
 */
export async function readContained(root: string, path: string, what: string): Promise<FileText | undefined> {
  try {
    const real = await realpath(path)
    if (!isBelow(root, real)) throw isLink(what)
    // Neither follows a link that came meanwhile, nor waits for the other end of a pipe.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      if (!isBelow(root, pathOf(file, real))) throw isLink(what)
      return await readText(file, what)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof SourceProblem) throw error
    if (isMissing(error)) return undefined
    throw invalid(`${what} cannot be read (${codeOf(error)}); let the user that the operator runs as read it.`)
  }
}

/** Where an open file is, also when a folder on its path was a link by then; only Linux tells. */
function pathOf({ fd }: FileHandle, path: string): string {
  return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${fd}`) : path
}

async function readText(file: FileHandle, what: string): Promise<FileText> {
  const status = await file.stat()
  if (!status.isFile()) throw invalid(`${what} is no regular file; put a file there.`)
  const bytes = Buffer.concat(await file.createReadStream({ end: maxBytes, autoClose: false }).toArray())
  if (bytes.length > maxBytes) throw invalid(`${what} has more than 1 MiB, which is no login.`)
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), changedAt: status.mtime }
  } catch {
    throw invalid(`${what} is not UTF-8 text.`)
  }
}

function isLink(what: string): SourceProblem {
  return invalid(`${what} is a link out of --files-dir; put the file itself there.`)
}

function invalid(message: string): SourceProblem {
  return new SourceProblem('SourceInvalid', message)
}
