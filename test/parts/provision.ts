/**
 * `node test/parts/provision.ts` fills the cache with all parts, one after the
 * other, and prints where they are. It fails without a part that is not optional.
 */
import { cacheRoot, fillCache } from '../cluster/cache.ts'
import { messageOf } from '../cluster/errors.ts'
import { sayOn } from '../cluster/progress.ts'
import { OPTIONAL, PARTS } from './parts.ts'

const say = sayOn(process.stderr)
for (const [name, part] of Object.entries(PARTS)) {
  try {
    console.log(await fillCache(cacheRoot(), part(), say))
  } catch (error) {
    const optional = OPTIONAL.has(name)
    console.error(optional ? `The tests that need ${name} are skipped: ${messageOf(error)}` : messageOf(error))
    if (!optional) process.exitCode = 1
  }
}
