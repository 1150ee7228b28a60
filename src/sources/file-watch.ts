/** Tells when files of `source.files` change: by the file system's own word, and for those that give none by looking. */
import { type FSWatcher, readdirSync, realpathSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { filesVersion } from './files-version.ts'

/** Milliseconds: network file systems and mounts over a folder are told of by nobody. */
const lookEveryMs = 30_000

/** Milliseconds: a change is many steps, and a file that is written in place is empty at first. */
const settleMs = 100

/**
 * Calls `onChange` with the name of each folder in `dir` whose files are other ones than at the last call, or than at the
 * start: also when it comes or goes. `dir` need not exist.
 * @param signal ends it
 */
export function watchFiles(
  dir: string,
  onChange: (name: string) => void,
  signal: AbortSignal,
  everyMs: number = lookEveryMs,
): void {
  const watchers = new Map<string, FSWatcher>()
  let settling: NodeJS.Timeout | undefined
  let versions = look()

  function look(): Map<string, string> {
    const names = foldersIn(dir)
    arm([dir, ...names.map((name) => join(dir, name))])
    return new Map(names.map((name) => [name, filesVersion(dir, name)]))
  }

  function compare(): void {
    const before = versions
    versions = look()
    for (const name of new Set([...before.keys(), ...versions.keys()])) {
      if (before.get(name) !== versions.get(name)) onChange(name)
    }
  }

  function soon(): void {
    settling ??= setTimeout(() => {
      settling = undefined
      compare()
    }, settleMs)
  }

  /** A watch is of a folder that was at a path, not of the path. */
  function arm(paths: readonly string[]): void {
    const wanted = new Map(paths.flatMap(identified))
    for (const [identity, watcher] of watchers) {
      if (wanted.has(identity)) continue
      watcher.close()
      watchers.delete(identity)
    }
    for (const [identity, path] of wanted) {
      if (!watchers.has(identity)) start(identity, path)
    }
  }

  function start(identity: string, path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, soon)
      watchers.set(identity, watcher)
      watcher.on('error', () => {
        watcher.close()
        watchers.delete(identity)
      })
    } catch {
      // No watches are left, or it is gone again: it is looked at now and then.
    }
  }

  const timer = setInterval(compare, everyMs).unref()
  const end = () => {
    clearInterval(timer)
    clearTimeout(settling)
    for (const watcher of watchers.values()) watcher.close()
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
}

function foldersIn(dir: string): string[] {
  try {
    // Volumes of the kubelet have their working folders there, too.
    return readdirSync(dir).filter((name) => !name.startsWith('.'))
  } catch {
    return []
  }
}

/** Which folder is at the path now, and its real path; nothing where there is none. An inode may be used anew at once. */
function identified(path: string): [identity: string, path: string][] {
  try {
    const real = realpathSync.native(path)
    const status = statSync(real, { bigint: true })
    return status.isDirectory() ? [[[real, status.dev, status.ino, status.birthtimeNs].join(' '), real]] : []
  } catch {
    return []
  }
}
