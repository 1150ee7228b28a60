import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { startGuard } from './guard.ts'
import { isAlive, scripts, temporaryFolders } from './temporary.ts'
import { eventually } from './wait.ts'

const folder = temporaryFolders()
const script = scripts()

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'after %s to the owner its processes are gone, and its folder is too',
  async (signal) => {
    const dir = folder()
    const { child, firstLine } = script(`
      import { spawn } from 'node:child_process'
      import { startGuard } from './guard.ts'
      const guard = startGuard(${JSON.stringify(dir)})
      const pids = [1, 2, 3].map(() => spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).pid)
      for (const pid of pids) guard.watch(pid)
      console.log(JSON.stringify(pids))
    `)
    const pids = JSON.parse(await firstLine) as number[]
    expect(pids.map(isAlive)).toEqual([true, true, true])
    child.kill(signal)
    await eventually(() => {
      expect(pids.map(isAlive)).toEqual([false, false, false])
      expect(existsSync(dir)).toBe(false)
    })
  },
)

test('what else is to be cleaned up is, before the folder goes', async () => {
  const [dir, other] = [folder(), folder()]
  startGuard(dir, `[ -d "$1" ] && rmdir ${other}`).end()
  await eventually(() => expect([dir, other].map(existsSync)).toEqual([false, false]))
})

test('a process that was forgotten is spared', async () => {
  const [first, second, third] = [1, 2, 3].map(() => spawn('sleep', ['600'], { stdio: 'ignore' }))
  if (!first?.pid || !second?.pid || !third?.pid) throw new Error('sleep cannot be started')
  const guard = startGuard()
  for (const { pid } of [first, second, third]) guard.watch(pid ?? 0)
  guard.forget(second.pid)
  guard.end()
  await Promise.all([once(first, 'exit'), once(third, 'exit')])
  expect([first, second, third].map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', null, 'SIGKILL'])
  second.kill('SIGKILL')
})
