/** `npm ci` of a fresh clone takes every package from the lock file, on whatever platform it runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

interface Locked {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  resolved?: string
}

const lockfile: { packages: Record<string, Locked> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8'),
)

/** Node's own look-up: beside the package, then beside each package that holds it. */
function isLocked(from: string, name: string): boolean {
  if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in lockfile.packages) return true
  return from !== '' && isLocked(from.slice(0, Math.max(from.lastIndexOf('/node_modules/'), 0)), name)
}

test('the lock file holds every dependency, those of other platforms too', () => {
  // npm leaves an optional package out when the registry does not answer for it, and `npm ci` then refuses to start.
  const missing = Object.entries(lockfile.packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(from, name))
      .map((name) => `${name} of ${from}`),
  )
  expect(missing).toEqual([])
})

test('the lock file names packages by version and checksum, never by the registry of whoever wrote it', () => {
  expect(Object.keys(lockfile.packages).filter((path) => lockfile.packages[path]?.resolved)).toEqual([])
})
