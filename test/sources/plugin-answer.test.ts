import { describe, expect, test } from '@jest/globals'
import { answerOf } from '../../src/sources/plugin-answer.ts'
import { SourceProblem } from '../../src/sources/source-problem.ts'

const read = (stdout: string | Buffer) => answerOf({ exitCode: 0, stdout: Buffer.from(stdout) }, 'p')
const deep = 100_000

describe('what a plugin writes is read', () => {
  test.each<[string, string, [string, unknown][]]>([
    [
      'with keys that every object has',
      '{"__proto__":{"a":1},"constructor":2}',
      [
        ['__proto__', { a: 1 }],
        ['constructor', 2],
      ],
    ],
    ['with the last of two equal keys', '{"a":1,"a":2}', [['a', 2]]],
    ['with NUL and half a character in its texts', '{"a":"\\u0000\\ud800"}', [['a', '\0\ud800']]],
    ['with a number beyond all bounds', '{"a":1e400}', [['a', Number.POSITIVE_INFINITY]]],
    ['behind a byte order mark', '\ufeff{"a":1}', [['a', 1]]],
  ])('%s', (_, stdout, members) => {
    const answer = read(stdout)
    expect(Object.entries(answer)).toEqual(members)
    expect(Object.getPrototypeOf(answer)).toBe(Object.getPrototypeOf(JSON.parse('{}')))
  })

  test('with lists in lists', () => {
    expect(Array.isArray(read(`{"a":${'['.repeat(deep)}${']'.repeat(deep)}}`).a)).toBe(true)
  })
})

describe('what a plugin writes is refused', () => {
  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['a list', '[{}]'],
    ['null', 'null'],
    ['lists without an end', '['.repeat(deep)],
    ['a comment', '{} // hunter2'],
    ['two objects', '{"Secret":"hunter2"}{}'],
    ['NUL behind it', '{"Secret":"hunter2"}\0'],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"Secret":"hunter2'), Buffer.of(0xff), Buffer.from('"}')])],
  ])('%s', (_, stdout) => {
    const problem = new SourceProblem('IssuerInvalid', 'Plugin p answered, but its answer on stdout is no JSON object.')
    expect(() => read(stdout)).toThrow(problem)
  })
})
