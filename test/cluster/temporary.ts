/** Temporary folders and helper processes for the tests of this folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach } from '@jest/globals'

/** A function that makes folders, each of which is removed after the test. */
export function temporaryFolders(): () => string {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  return () => {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'regcred-test-'))
    folders.push(folder)
    return folder
  }
}

export interface Script {
  child: ChildProcess
  /** The first line that it prints; rejected when it ends without one. */
  firstLine: Promise<string>
}

/**
 * Runs TypeScript (ES module) source in a Node process of its own, with this
 * folder as the base of its imports; it is killed after the test.
 */
export function scripts(): (source: string) => Script {
  const running: ChildProcess[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })
  return (source) => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.push(child)
    const firstLine = new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve)
      child.once('exit', (code) => reject(new Error(`ended with ${code} before it printed a line`)))
    })
    return { child, firstLine }
  }
}

/** False once a process is gone; a zombie, for which nobody has waited yet, counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    // "pid (name) state …"; only Linux has it.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}
