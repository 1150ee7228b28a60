import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger, type LogLevel } from '../../src/telemetry/logger.ts'
import { Redactor } from '../../src/telemetry/redaction.ts'
import { Capture } from './capture.ts'

function logTo(stream: Capture, format: 'json' | 'text', level: LogLevel = 'info') {
  return createLogger({ level, format, stream })
}

describe('JSON lines', () => {
  test('a record is one line of time, level, message and its fields', () => {
    const stream = new Capture()
    logTo(stream, 'json').info('copied\nit', { namespace: 'team', count: 2 })
    expect(stream.lines).toHaveLength(1)
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(stream.records).toEqual([{ time, level: 'info', message: 'copied\nit', namespace: 'team', count: 2 }])
    expect(Object.keys(stream.records[0] ?? {}).slice(0, 3)).toEqual(['time', 'level', 'message'])
  })

  test('levels below the chosen one are silent, all others are written', () => {
    const stream = new Capture()
    const log = logTo(stream, 'json', 'warn')
    for (const level of ['error', 'warn', 'info', 'debug'] as const) log[level](level)
    expect(stream.records.map(({ message }) => message)).toEqual(['error', 'warn'])
  })

  test('a child adds its fields, and its children theirs; the nearest one wins', () => {
    const stream = new Capture()
    const log = logTo(stream, 'json').child({ loop: 'namespace', key: 'a' })
    log.child({ key: 'b' }).info('one', { x: 1 })
    log.info('two')
    expect(stream.records).toMatchObject([
      { loop: 'namespace', key: 'b', x: 1 },
      { loop: 'namespace', key: 'a' },
    ])
    expect(stream.records[1]).not.toHaveProperty('x')
  })

  test('fields cannot replace or lengthen time, level and message', () => {
    const stream = new Capture()
    logTo(stream, 'json').info('mine', { message: 'theirs', level: 'none', time: 'never' })
    expect(stream.records).toMatchObject([
      { message: 'mine', level: 'info', 'fields.message': 'theirs', 'fields.level': 'none', 'fields.time': 'never' },
    ])
  })

  test('a field named exception does not make the record vanish', () => {
    const stream = new Capture()
    logTo(stream, 'json').info('here', { exception: true, silent: true })
    expect(stream.records).toMatchObject([{ message: 'here', exception: true, silent: true }])
  })

  test('an error is written as name, message, code, reason and causes, without a stack', () => {
    const stream = new Capture()
    const error = Object.assign(new Error('boom', { cause: new Error('root') }), { code: 409, reason: 'Conflict' })
    logTo(stream, 'json').error('reconcile failed', { error })
    expect(stream.records).toMatchObject([{ message: 'reconcile failed' }])
    expect(stream.records[0]?.error).toEqual({
      name: 'Error',
      message: 'boom',
      code: 409,
      reason: 'Conflict',
      cause: { name: 'Error', message: 'root' },
    })
  })

  test('at level debug errors have their stack', () => {
    const stream = new Capture()
    logTo(stream, 'json', 'debug').error('reconcile failed', { error: new Error('boom') })
    expect(stream.records[0]?.error).toMatchObject({ stack: expect.arrayContaining([expect.stringMatching(/^at /)]) })
  })

  test('an error in place of the fields is not lost', () => {
    const stream = new Capture()
    const careless: { error(message: string, detail: unknown): void } = logTo(stream, 'json')
    careless.error('failed', new Error('boom'))
    expect(stream.records).toMatchObject([{ message: 'failed', error: { name: 'Error', message: 'boom' } }])
  })
})

describe('readable lines', () => {
  const line = (...args: [string, Record<string, unknown>?]) => {
    const stream = new Capture()
    logTo(stream, 'text').info(...args)
    expect(stream.lines).toHaveLength(1)
    return stream.text.trimEnd().replace(/^\S+Z /, '')
  }

  test('a record is time, level, message and key=value', () => {
    expect(line('copied', { namespace: 'team-a', count: 2, done: true, list: ['a'] })).toBe(
      'INFO  copied namespace=team-a count=2 done=true list=["a"]',
    )
  })

  test('values with spaces, quotes or an equals sign are quoted', () => {
    expect(line('x', { a: 'b c', d: '"', e: 'f=g', h: '' })).toBe('INFO  x a="b c" d="\\"" e="f=g" h=""')
  })

  test('errors are laid out flat', () => {
    const error = Object.assign(new Error('not found', { cause: new Error('root') }), { code: 404 })
    expect(line('failed', { error })).toBe(
      'INFO  failed error.name=Error error.message="not found" error.code=404 error.cause.name=Error error.cause.message=root',
    )
  })

  test('no message can forge a second line or steer the terminal', () => {
    expect(line('a\nb\u001b[31m\u009b1m', { c: '\r\u007f' })).toBe('INFO  a\\nb\\u001b[31m\\u009b1m c="\\r\\u007f"')
  })

  test('at level debug the stack follows on lines of its own', () => {
    const stream = new Capture()
    logTo(stream, 'text', 'debug').error('failed', { error: new Error('boom') })
    expect(stream.lines[0]).toMatch(/ ERROR failed error\.name=Error error\.message=boom$/)
    expect(stream.lines.length).toBeGreaterThan(1)
    expect(stream.lines.slice(1).filter((frame) => !frame.startsWith('    at '))).toEqual([])
  })
})

describe('colours', () => {
  const before = process.env.NO_COLOR
  beforeEach(() => {
    delete process.env.NO_COLOR
  })
  afterEach(() => {
    if (before === undefined) delete process.env.NO_COLOR
    else process.env.NO_COLOR = before
  })
  const hasColour = (stream: Capture, format: 'json' | 'text' = 'text') => {
    logTo(stream, format).warn('x')
    return stream.text.includes('\u001b[')
  }

  test('a terminal gets colours', () => {
    expect(hasColour(new Capture(true))).toBe(true)
  })

  test('a file or a pipe gets none', () => {
    expect(hasColour(new Capture(false))).toBe(false)
  })

  test('NO_COLOR turns them off', () => {
    process.env.NO_COLOR = '1'
    expect(hasColour(new Capture(true))).toBe(false)
  })

  test('JSON never has them', () => {
    expect(hasColour(new Capture(true), 'json')).toBe(false)
  })
})

test('credentials are recognised without being registered, and registered ones at once', () => {
  const stream = new Capture()
  const redactor = new Redactor()
  const log = createLogger({ level: 'info', format: 'json', stream, redactor })
  log.info('GET https://user:pass@host/')
  log.info('hunter2')
  redactor.add('hunter2')
  log.info('hunter2')
  expect(stream.records.map(({ message }) => message)).toEqual(['GET https://***@host/', 'hunter2', '***'])
})
