import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { acquireLock } from './lock.ts'
import { scripts, temporaryFolders } from './temporary.ts'

const folder = temporaryFolders()
const script = scripts()

const failOnWait = (owner: string): void => {
  throw new Error(`waited for ${owner}`)
}

test('the second waits for the first and learns who it is', async () => {
  const path = join(folder(), 'lock')
  const first = await acquireLock(path, failOnWait)
  const events: string[] = []
  const second = acquireLock(path, (owner) => events.push(`waits for ${owner}`)).then((lock) => {
    events.push('has it')
    return lock
  })
  // A third one for another path is not held up, and gives the second the time to take what it must not.
  const other = await acquireLock(`${path}-other`, failOnWait)
  other.release()
  expect(events).toEqual([`waits for ${process.pid}`])
  first.release()
  const lock = await second
  expect(events).toEqual([`waits for ${process.pid}`, 'has it'])
  lock.release()
})

test('many at once get it one after the other', async () => {
  const path = join(folder(), 'lock')
  let inside = 0
  const most: number[] = []
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await acquireLock(path, () => {})
      most.push(++inside)
      await Promise.resolve()
      inside--
      lock.release()
    }),
  )
  expect(most).toEqual([1, 1, 1, 1, 1])
})

test('a lock whose holder was killed is free at once', async () => {
  const path = join(folder(), 'lock')
  const { child, firstLine } = script(`
    import { acquireLock } from './lock.ts'
    await acquireLock(${JSON.stringify(path)}, () => {})
    console.log('locked')
    setInterval(() => {}, 1000)
  `)
  expect(await firstLine).toBe('locked')
  let owner = ''
  const waiting = acquireLock(path, (pid) => {
    owner = pid
    child.kill('SIGKILL')
  })
  const lock = await waiting
  expect(owner).toBe(String(child.pid))
  lock.release()
})
