import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseChallenges } from '../../src/registry/challenge.ts'

/** Challenges as plain arrays: scheme and parameters. */
function parsed(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])
}

describe('a WWW-Authenticate header', () => {
  test.each<[string, [string, Record<string, string>][]]>([
    ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          { realm: 'https://auth.example/token', service: 'registry.example', scope: 'repository:a/b:pull,push' },
        ],
      ],
    ],
    ['BEARER Realm = "r" , SERVICE=s', [['bearer', { realm: 'r', service: 's' }]]],
    [
      'Bearer realm="a", Basic realm="b"',
      [
        ['bearer', { realm: 'a' }],
        ['basic', { realm: 'b' }],
      ],
    ],
    [
      'Negotiate, Digest abc==, Basic realm="b", charset="UTF-8"',
      [
        ['negotiate', {}],
        ['digest', {}],
        ['basic', { realm: 'b', charset: 'UTF-8' }],
      ],
    ],
    [String.raw`Basic realm="a \"b\", Bearer realm=\\c"`, [['basic', { realm: String.raw`a "b", Bearer realm=\c` }]]],
    [
      'Bearer realm=https://auth.example/token?a,service=s',
      [['bearer', { realm: 'https://auth.example/token?a', service: 's' }]],
    ],
    ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
    ['Bearer realm=""', [['bearer', { realm: '' }]]],
    [', ,Basic realm="b",,', [['basic', { realm: 'b' }]]],
    ['Bearer __proto__="x"', [['bearer', { ['__proto__']: 'x' }]]],
    ['Bearer constructor="x",toString=y', [['bearer', { constructor: 'x', tostring: 'y' }]]],
    ['Bearer realm="a",service="open', [['bearer', { realm: 'a' }]]],
    ['Bearer realm="a"""b"', [['bearer', {}]]],
    ['Bearer realm="a\\', [['bearer', {}]]],
    ['Bearer realm="a\0b",service="\xff\xfe"', [['bearer', { realm: 'a\0b', service: '\xff\xfe' }]]],
    ['Bearer realm=a\0b', [['bearer', {}]]],
    ['Bearer expires=1e400', [['bearer', { expires: '1e400' }]]],
    ['Basic', [['basic', {}]]],
    ['realm="a"', []],
    ['<html>', []],
    ['', []],
  ])('%s', (header, challenges) => {
    expect(parsed(header)).toEqual(challenges)
  })

  test('is read as it was written, whatever its values are', () => {
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/)
    const parameters = fc.uniqueArray(fc.tuple(token, fc.string()), { selector: ([name]) => name.toLowerCase() })
    const challenge = fc.tuple(
      token,
      parameters.filter(({ length }) => length > 0),
    )
    const quote = (value: string) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
    fc.assert(
      fc.property(fc.array(challenge), (challenges) => {
        const header = challenges
          .map(([scheme, values]) => `${scheme} ${values.map(([name, value]) => `${name}=${quote(value)}`).join(', ')}`)
          .join(', ')
        expect(parseChallenges(header)).toEqual(
          challenges.map(([scheme, values]) => ({
            scheme: scheme.toLowerCase(),
            parameters: new Map(values.map(([name, value]) => [name.toLowerCase(), value])),
          })),
        )
      }),
    )
  })

  test.each([
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['escaped quotes', '\\"'],
    ['schemes', 'a '],
    ['parameters without a value', 'a='],
    ['open quotes', 'a="'],
    ['commas', ','],
    ['white space', ' \t'],
  ])('of a hundred thousand %s ends in an answer, whatever stands before them', (_, piece) => {
    for (const start of ['', 'Bearer ', 'Bearer realm=', 'Bearer realm="', 'Bearer realm="a",']) {
      expect(parseChallenges(start + piece.repeat(100_000))).toBeInstanceOf(Array)
    }
  })

  test('of any kind ends in an answer', () => {
    const pieces = fc.constantFrom('Basic', 'realm', '=', '"', '\\', ',', ' ', 'a', '\t', ';')
    fc.assert(
      fc.property(fc.array(pieces), (some) => void expect(parseChallenges(some.join(''))).toBeInstanceOf(Array)),
    )
  })
})
