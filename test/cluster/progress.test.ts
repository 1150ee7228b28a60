import { describe, expect, test } from '@jest/globals'
import { elapsed, sayOn, withStatus } from './progress.ts'

function recorder(options: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = []
  return { ...options, written, write: (text: string) => written.push(text) }
}

describe('on a terminal', () => {
  test('a status line is overwritten by the next line', () => {
    const screen = recorder({ isTTY: true })
    const say = sayOn(screen)
    say('10 %', 'status')
    say('20 %', 'status')
    say('done')
    say('next')
    const clear = '\r\u001b[K'
    expect(screen.written).toEqual([`${clear}10 %`, `${clear}20 %`, `${clear}done\n`, 'next\n'])
  })

  test('a status line is cut to the width, as a wrapped line could not be overwritten', () => {
    const screen = recorder({ isTTY: true, columns: 5 })
    sayOn(screen)('123456789', 'status')
    expect(screen.written.join('')).toMatch(/1234$/)
  })
})

test('in a log, status lines are printed after 15 s of silence only', () => {
  const screen = recorder()
  let now = 0
  const say = sayOn(screen, () => now)
  say('start')
  now = 14_000
  say('at 14 s', 'status')
  now = 15_000
  say('at 15 s', 'status')
  now = 29_000
  say('at 29 s', 'status')
  expect(screen.written).toEqual(['start\n', 'at 15 s\n'])
})

test('a running step tells how long it runs', async () => {
  const lines: string[] = []
  let tellStatus: () => void = () => {}
  const told = new Promise<void>((resolve) => {
    tellStatus = resolve
  })
  const result = await withStatus(
    (line) => {
      lines.push(line)
      tellStatus()
    },
    () => 'building',
    async () => {
      await told
      return 42
    },
  )
  expect(result).toBe(42)
  expect(lines[0]).toMatch(/^building \(\d+ s\)$/)
})

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min 0 s'],
  [370_000, '6 min 10 s'],
])('%d ms are %s', (ms, text) => {
  expect(elapsed(ms)).toBe(text)
})
