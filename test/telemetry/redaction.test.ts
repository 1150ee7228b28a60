import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLogger } from '../../src/telemetry/logger.ts'
import { MIN_SECRET_LENGTH, Redactor } from '../../src/telemetry/redaction.ts'
import { Capture } from './capture.ts'

const secret = 'p"a\\s<w>ö/r+d?%\n7'

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor()
  redactor.add(...secrets)
  return redactor
}

describe('a registered secret is replaced', () => {
  const go = JSON.stringify(secret).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e')
  test.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON within JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['in JSON written by Go, as kubectl writes it', go.slice(1, -1)],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in base64 of user:password', Buffer.from(`user:${secret}`).toString('base64')],
    ['in base64 of user:password of another length', Buffer.from(`users:${secret}`).toString('base64')],
    ['in base64 of a docker config', Buffer.from(`{"auths":{"x":{"password":${go}}}}`).toString('base64')],
    ['by encodeURIComponent', encodeURIComponent(secret)],
    ['with lower-case hexadecimal', encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase())],
    ['in a form', new URLSearchParams({ '': secret }).toString().slice(1)],
  ])('%s', (_, form) => {
    expect(redactorOf(secret).redact(`<${form}>`)).toBe('<***>')
  })

  test('wherever it stands and however often, next to others', () => {
    expect(redactorOf('abcdef', 'ghijkl').redact('abcdef ghijkl abcdefghijkl')).toBe('*** *** ***')
  })

  test('also when secrets overlap or contain one another', () => {
    expect(redactorOf('abcdef', 'defghi', 'bcdefghij').redact('-abcdefghijk-')).toBe('-***k-')
  })

  test('without the white space a file left around it', () => {
    expect(redactorOf('hunter2\n').redact('it is hunter2')).toBe('it is ***')
  })
})

test('values shorter than the least length are no secrets', () => {
  const short = 'x'.repeat(MIN_SECRET_LENGTH - 1)
  const redactor = redactorOf(short, '', '   \n  ')
  expect(redactor.size).toBe(0)
  expect(redactor.redact(`latest ${short}`)).toBe(`latest ${short}`)
})

describe('memory is bounded', () => {
  test('the secrets added longest ago go first, a rotated one stays for a while', () => {
    const redactor = new Redactor({ capacity: 10_000 })
    redactor.add('rotated-out')
    redactor.add('its-successor')
    expect(redactor.redact('rotated-out its-successor')).toBe('*** ***')
    for (let i = 0; i < 1_000; i++) redactor.add(`another-secret-${i}`)
    expect(redactor.size).toBeLessThan(30)
    expect(redactor.redact('rotated-out another-secret-999')).toBe('rotated-out ***')
  })

  test('a secret that is added again stays', () => {
    const redactor = new Redactor({ capacity: 10_000 })
    for (let i = 0; i < 1_000; i++) redactor.add('in-use-all-the-time', `another-secret-${i}`)
    expect(redactor.redact('in-use-all-the-time')).toBe('***')
  })

  test('a secret larger than the whole memory is redacted all the same', () => {
    const redactor = new Redactor({ capacity: 1_000 })
    const large = 'large-secret'.repeat(1_000)
    redactor.add('small-secret', large)
    expect(redactor.redact(`-${large}-`)).toBe('-***-')
  })
})

describe('a line of JSON stays JSON', () => {
  test.each<[string, string, object, object]>([
    ['a secret in a key', 'hunter2', { hunter2: 1 }, { '***': 1 }],
    ['a secret that is a number', '123456', { count: 123456, other: 12345 }, { count: '***', other: 12345 }],
    ['a secret with a quote at its end', 'abcde"', { a: 'abcde"', b: 'abcde' }, { a: '***', b: 'abcde' }],
    ['a secret with a backslash at its end', 'abcde\\', { a: 'abcde"', b: 'abcde\\' }, { a: 'abcde"', b: '***' }],
    ['a secret that begins like an escape', 'nabcde', { a: '\nabcde', b: 'nabcde' }, { a: '\nabcde', b: '***' }],
    ['a secret that looks like structure', '":"x","', { a: 'x', b: '":"x","' }, { a: 'x', b: '***' }],
    ['a header', 'unused', { headers: { Authorization: ['Basic 1'] } }, { headers: { Authorization: '***' } }],
    ['a header in a message', 'unused', { a: 'authorization:', b: 'x' }, { a: 'authorization:', b: 'x' }],
  ])('%s', (_, value, record, expected) => {
    expect(JSON.parse(redactorOf(value).redactJson(JSON.stringify(record)))).toEqual(expected)
  })
})

/** Of sufficient length once trimmed; without the mark's own character, which would only confuse the search below. */
const anySecret = fc
  .oneof(
    fc.string({ minLength: 6, maxLength: 40, unit: 'binary' }),
    fc.string({ minLength: 6, maxLength: 40, unit: 'grapheme' }),
    fc.string({ minLength: 6, maxLength: 40 }),
    fc.string({ minLength: 6, maxLength: 20, unit: fc.constantFrom(...'ab"\\\n<&é+/ \u007f\u0085') }),
    fc.base64String({ minLength: 8, maxLength: 100 }),
    fc.stringMatching(/^[ -~]{6}[ -~\n]{0,90}$/),
  )
  .filter((text) => text.trim().length >= MIN_SECRET_LENGTH && !text.includes('*'))

/** Forms in which a secret gets into a record. */
const disguises: ((secret: string, filler: string) => string)[] = [
  (it, filler) => filler + it + filler,
  (it) => JSON.stringify({ password: it }),
  (it) => JSON.stringify({ body: JSON.stringify({ password: it }) }),
  (it, filler) => Buffer.from(`${filler}:${it}`).toString('base64'),
  (it, filler) => Buffer.from(`${filler}:${it}`).toString('base64url'),
  (it, filler) => `data: ${Buffer.from(JSON.stringify({ auths: { [filler]: { password: it } } })).toString('base64')}`,
  (it) => `https://registry.example.com/?p=${encodeURIComponent(it.toWellFormed())}&x=1`,
]

/** Places in a record. */
const places: ((text: string) => [message: string, fields: Record<string, unknown>])[] = [
  (text) => [text, {}],
  (text) => ['m', { value: text }],
  (text) => ['m', { deep: { list: [1, [text]] }, map: new Map([['k', text]]) }],
  (text) => ['m', { [text]: { [text]: 1 } }],
  (text) => ['m', { message: text, level: text, time: text, stack: text, exception: true }],
  (text) => ['m', { stack: [text] }],
  (text) => ['m', { error: new Error(text) }],
  (text) => ['m', { error: new Error('outer', { cause: new Error('inner', { cause: text }) }) }],
  (text) => ['m', { error: new AggregateError([new Error(text)], text) }],
  (text) => ['m', { error: Object.assign(new Error('e'), { reason: text, code: text, name: text, body: text }) }],
  (text) => ['m', { bytes: Buffer.from(text), url: new URLSearchParams({ text }), set: new Set([text]) }],
]

/** What a reader could make of a text: as it is, and with escapes, percent-encoding or base64 undone, up to three times. */
function readings(text: string, depth = 3): string[] {
  if (depth === 0) return [text]
  const unescaped = text.replace(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, hex?: string, c?: string) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : JSON.parse(/["\\/bfnrt]/.test(c ?? '') ? `"\\${c}"` : '""'),
  )
  const unquoted = text.replace(/(?:%[0-9a-f]{2})+/gi, (hex) => Buffer.from(hex.replaceAll('%', ''), 'hex').toString())
  const decoded = (text.match(/[\w+/-]{8,}/g) ?? []).map((run) => Buffer.from(run, 'base64').toString())
  const others = [unescaped, unquoted, ...decoded].filter((each) => each !== text)
  return [text, ...others.flatMap((each) => readings(each, depth - 1))]
}

/** The readings of the texts in which the secret can be found. */
function leaks(texts: readonly string[], secret: string): string[] {
  const bytes = [...Buffer.from(secret)].join(',')
  const hidden = [secret, secret.toWellFormed(), bytes]
  return texts.flatMap((text) => readings(text)).filter((reading) => hidden.some((it) => reading.includes(it)))
}

describe('whatever is logged, no registered secret is in the output', () => {
  const record = fc.record({
    secret: anySecret,
    others: fc.array(anySecret, { maxLength: 3 }),
    filler: fc.string({ maxLength: 5 }),
    disguise: fc.constantFrom(...disguises),
    place: fc.constantFrom(...places),
    bound: fc.boolean(),
  })

  function log(format: 'json' | 'text', { secret, others, filler, disguise, place, bound }: RecordOf<typeof record>) {
    const stream = new Capture()
    const logger = createLogger({ level: 'debug', format, stream, redactor: redactorOf(secret, ...others) })
    const [message, fields] = place(disguise(secret, filler))
    if (bound) logger.child(fields).info(message)
    else logger.error(message, fields)
    return stream
  }

  test('as JSON, of which there is always one valid line', () => {
    fc.assert(
      fc.property(record, (given) => {
        const stream = log('json', given)
        expect(stream.lines).toHaveLength(1)
        expect(leaks(textsOf(stream.records[0]), given.secret.trim())).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('as text', () => {
    fc.assert(
      fc.property(record, (given) => {
        const { text } = log('text', given)
        expect(text).not.toBe('')
        expect(leaks([text], given.secret.trim())).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

type RecordOf<A> = A extends fc.Arbitrary<infer T> ? T : never

/** Every key and every value, as text. */
function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return [value.join(','), ...value.flatMap(textsOf)]
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsOf(item)])
}
