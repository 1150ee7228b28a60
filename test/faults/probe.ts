/**
 * Loaded into the operator before its program (`--expose-gc --import`): on SIGUSR2 it collects garbage and tells what is
 * left, as a line of the log. Where the file that `HEAP_SNAPSHOT` names exists, all that is on the heap goes there.
 */
import { existsSync } from 'node:fs'
import { writeHeapSnapshot } from 'node:v8'

const { gc } = globalThis
if (gc === undefined) throw new Error('the probe needs --expose-gc')

process.on('SIGUSR2', async () => {
  for (let turn = 0; turn < 3; turn++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve)) // finalizers run between collections
  }
  const { heapUsed, rss } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  const timers = resources.filter((each) => each === 'Timeout').length
  const file = process.env.HEAP_SNAPSHOT
  if (file !== undefined && existsSync(file)) writeHeapSnapshot(file)
  const told = { heapUsed, rss, timers, handles: resources.length - timers }
  process.stdout.write(`${JSON.stringify({ time: new Date(), level: 'info', message: 'probed', ...told })}\n`)
})
