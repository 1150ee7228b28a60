/**
 * `source.files`: files that somebody mounts into the pod of the operator. They are read as one version of them, never half
 * old and half new.
 */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Given } from '../model/given.ts'
import { dockerConfigOf } from '../model/source-secret.ts'
import { codeOf, type FileText, isBelow, isMissing, readContained } from './contained-file.ts'
import { configNames, dataFolder, filesVersion, loginNames } from './files-version.ts'
import type { Issued, Source } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/** Each that fails has met a change of the files. */
const maxAttempts = 10

export const files: Source<'files'> = {
  async issue({ name }, { settings: { filesDir } }, signal) {
    if (filesDir === undefined) {
      throw invalid('The installation sets no --files-dir, so no files may be read; have it set.')
    }
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      signal.throwIfAborted()
      const version = filesVersion(filesDir, name)
      const [read] = await Promise.allSettled([readFolder(filesDir, name)])
      if (filesVersion(filesDir, name) !== version) continue
      if (read.status === 'rejected') throw read.reason
      return read.value
    }
    throw new SourceProblem('IssuerUnavailable', `${nameOf(name)} changed each time while it was read.`)
  },
}

async function readFolder(dir: string, name: string): Promise<Issued> {
  const { root, folder } = resolved(dir, name)
  const texts = new Map<string, FileText>()
  for (const file of [...configNames, ...loginNames]) {
    const text = await readContained(root, join(folder, file), `File ${name}/${file} in --files-dir`)
    if (text) texts.set(file, text)
  }
  const given = givenBy(texts, name)
  return { given, issuedAt: new Date(Math.max(...[...texts.values()].map(({ changedAt }) => changedAt.getTime()))) }
}

function resolved(dir: string, name: string): { root: string; folder: string } {
  try {
    const root = realpathSync.native(dir)
    const folder = dataFolder(join(dir, name))
    if (!isBelow(root, folder)) throw invalid(`${nameOf(name)} is a link out of it; mount the folder itself there.`)
    return { root, folder }
  } catch (error) {
    if (error instanceof SourceProblem) throw error
    if (isMissing(error)) throw missing(`${nameOf(name)} does not exist; mount it there.`)
    throw invalid(`${nameOf(name)} cannot be read (${codeOf(error)}); let the user that the operator runs as read it.`)
  }
}

function givenBy(texts: ReadonlyMap<string, FileText>, name: string): Given {
  const text = (file: string) => texts.get(file)?.text
  const [config] = configNames.filter((file) => texts.has(file))
  if (config !== undefined && texts.size > 1) {
    throw invalid(
      `${nameOf(name)} holds ${[...texts.keys()].join(', ')}; leave one docker config, or username and password.`,
    )
  }
  if (config !== undefined) return dockerConfigOf(text(config), config)
  const [username, password] = loginNames.map(text)
  if (username === undefined || password === undefined) {
    throw missing(
      `${nameOf(name)} has none of ${configNames.join(', ')}, and not both username and password; mount one of these.`,
    )
  }
  return { login: { username: withoutBreak(username), password: withoutBreak(password) } }
}

/** Without the line break that an editor or `echo` leaves at the end. */
function withoutBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** What people call it, at the start of a sentence. */
function nameOf(name: string): string {
  return `Folder ${name} of --files-dir`
}

function missing(message: string): SourceProblem {
  return new SourceProblem('SourceNotFound', message)
}

function invalid(message: string): SourceProblem {
  return new SourceProblem('SourceInvalid', message)
}
