import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readAuditLog } from './audit.ts'
import { temporaryFolders } from './temporary.ts'

const folder = temporaryFolders()
const begin = Date.parse('2026-01-02T12:00:00Z')
const at = (seconds: number) => new Date(begin + seconds * 1000)

/** As the API server writes a request of a second, that came `late` seconds before its answer. */
function line(second: number, late = 0): string {
  const event = {
    auditID: `${second}`,
    verb: 'get',
    requestURI: `/${'x'.repeat(2_000)}`,
    user: { username: 'somebody' },
    objectRef: { name: `${second}` },
    requestReceivedTimestamp: at(second - late),
    stageTimestamp: at(second),
  }
  return `${JSON.stringify(event)}\n`
}

function logWith(lines: string[]): string {
  const file = join(folder(), 'audit.log')
  writeFileSync(file, lines.join(''))
  return file
}

/** 4 MB: what is old enough is not read. */
const seconds = Array.from({ length: 2_000 }, (_, second) => second)

test.each([-1, 0, 1, 700, 1_000.5, 1_999, 2_000])('finds all requests since second %d, and no other', async (since) => {
  const file = logWith(seconds.map((second) => line(second)))
  const names = (await readAuditLog(file, at(since))).map(({ name }) => Number(name))
  expect(names).toEqual(seconds.filter((second) => second >= since))
})

test('finds one that stands behind later ones, and leaves out one that came before and took long', async () => {
  const lines = seconds.map((second) => line(second, second === 1_500 ? 400 : 0))
  lines.splice(1_430, 0, ...lines.splice(1_400, 1))
  const names = (await readAuditLog(logWith(lines), at(1_400))).map(({ name }) => name)
  expect(names).toContain('1400')
  expect(names).not.toContain('1500')
  expect(names).toHaveLength(599)
})

test('a line that is just being written is not read', async () => {
  const file = logWith([line(1), line(2)])
  appendFileSync(file, line(3).slice(0, 100))
  expect((await readAuditLog(file, at(0))).map(({ name }) => name)).toEqual(['1', '2'])
})

test('an empty log has no requests', async () => {
  expect(await readAuditLog(logWith([]), at(0))).toEqual([])
})
