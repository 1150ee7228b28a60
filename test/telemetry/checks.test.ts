import { expect, test } from '@jest/globals'
import { runChecks } from '../../src/telemetry/checks.ts'

const well = { name: 'ping', check: () => undefined }
const ill = { name: 'caches', check: () => 'secrets not listed yet' }

test('all well: ok', () => {
  expect(runChecks('healthz', [well], false)).toEqual({ ok: true, text: 'ok' })
})

test('no checks at all: ok', () => {
  expect(runChecks('healthz', [], false)).toEqual({ ok: true, text: 'ok' })
})

test('all well, verbose: each check is listed', () => {
  expect(runChecks('healthz', [well], true)).toEqual({ ok: true, text: '[+]ping ok\nhealthz check passed\n' })
})

test('all well, but there is something to note: it is told beside the ok', () => {
  const noted = { ...well, note: () => 'it takes its time' }
  expect(runChecks('readyz', [noted], false)).toEqual({ ok: true, text: 'ok' })
  expect(runChecks('readyz', [noted, { ...well, note: () => undefined }], true)).toEqual({
    ok: true,
    text: '[+]ping ok, but it takes its time\n[+]ping ok\nreadyz check passed\n',
  })
})

test('one fails: all are listed, asked or not', () => {
  const text = '[+]ping ok\n[-]caches failed: secrets not listed yet\nreadyz check failed\n'
  expect(runChecks('readyz', [well, ill], false)).toEqual({ ok: false, text })
  expect(runChecks('readyz', [well, ill], true)).toEqual({ ok: false, text })
})

test('a check that throws fails without telling why', () => {
  const broken = {
    name: 'broken',
    check: () => {
      throw new Error('hunter2')
    },
  }
  const { ok, text } = runChecks('healthz', [broken, well], false)
  expect(ok).toBe(false)
  expect(text).toContain('[-]broken failed: the check itself failed\n[+]ping ok')
  expect(text).not.toContain('hunter2')
})
