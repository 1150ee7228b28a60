/**
 * An exclusive lock between processes that cannot go stale.
 *
 * SQLite (built into Node) holds it as a lock of the operating system on a file,
 * which the kernel drops when the holder ends in whatever way, SIGKILL included.
 * A lock file with a process id in it would need a guess whether its owner is
 * alive, and two waiters may both guess and both win.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasProperty } from './errors.ts'

const POLL_MS = 100
const SQLITE_BUSY = 5

export interface Lock {
  release(): void
}

function tryLock(path: string): Lock | undefined {
  const file = new DatabaseSync(path)
  try {
    // No journal: nothing is ever written to the database, only its lock is used.
    file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    if (hasProperty(error, 'errcode', SQLITE_BUSY)) return undefined
    throw error
  }
  writeFileSync(`${path}.owner`, String(process.pid))
  return { release: () => file.close() }
}

/** Process id of the one who took the lock last, for messages. */
export function lockOwner(path: string): string {
  try {
    return readFileSync(`${path}.owner`, 'utf8')
  } catch {
    return 'unknown'
  }
}

/**
 * Takes the lock at `path` (its folder must exist), waiting while another has it.
 * `onWait` is called once, with the owner's process id, if there is a wait.
 */
export async function acquireLock(path: string, onWait: (owner: string) => void): Promise<Lock> {
  let waiting = false
  for (;;) {
    const lock = tryLock(path)
    if (lock !== undefined) return lock
    if (!waiting) onWait(lockOwner(path))
    waiting = true
    await sleep(POLL_MS)
  }
}
