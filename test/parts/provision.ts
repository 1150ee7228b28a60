/**
 * `node test/parts/provision.ts` fills the cache with all parts, one after the
 * other, and prints where they are.
 */
import { cacheRoot, fillCache } from '../cluster/cache.ts'
import { messageOf } from '../cluster/errors.ts'
import { sayOn } from '../cluster/progress.ts'
import { PARTS } from './parts.ts'

const say = sayOn(process.stderr)
for (const part of Object.values(PARTS)) {
  try {
    console.log(await fillCache(cacheRoot(), part(), say))
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 1
  }
}
