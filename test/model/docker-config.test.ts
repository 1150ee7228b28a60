import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  bytesOf,
  DockerConfigProblem,
  decodeBase64,
  type Entries,
  encodeBase64,
  formatDockerConfigJson,
  parseDockerCfg,
  parseDockerConfigJson,
} from '../../src/model/docker-config.ts'
import { jsonVectors } from './vectors.ts'

function problemOf(parse: () => unknown): DockerConfigProblem {
  try {
    parse()
  } catch (problem) {
    if (problem instanceof DockerConfigProblem) return problem
    throw problem
  }
  throw new Error('was not refused')
}

describe("as the kubelet's own code answers (keyring-json.txt)", () => {
  test.each(jsonVectors.filter(({ entries }) => entries))('$document is read', ({ document, entries }) => {
    const read = [...parseDockerConfigJson(document)].map(([key, { username, password }]) => [
      key,
      [username, password],
    ])
    expect(Object.fromEntries(read)).toEqual(entries)
  })

  /** Ours is shorter on purpose: Go's reason quotes the text. */
  const shorter = new Map([["invalid character 't' after top-level value", 'invalid JSON']])

  test.each(jsonVectors.filter(({ reason }) => reason))(
    '$document is refused: $reason',
    ({ document, reason = '' }) => {
      expect(problemOf(() => parseDockerConfigJson(document)).message).toBe(shorter.get(reason) ?? reason)
    },
  )

  test.each(jsonVectors.filter(({ stored }) => !stored))(
    '$document, which no Secret can hold, is refused',
    ({ document }) => {
      expect(problemOf(() => parseDockerConfigJson(document)).key).toBeUndefined()
    },
  )
})

describe('the kubelet would refuse the document because of', () => {
  test.each([
    ['an entry that is a list', '{"auths":{"a.io":[]}}', 'json: cannot unmarshal array', 'a.io'],
    ['an entry that is a number', '{"auths":{"a.io":1}}', 'json: cannot unmarshal number', 'a.io'],
    ['a username that is a boolean', '{"auths":{"a.io":{"username":true}}}', 'json: cannot unmarshal bool', 'a.io'],
    ['a password that is an object', '{"auths":{"a.io":{"password":{}}}}', 'json: cannot unmarshal object', 'a.io'],
    ['an email that is a list', '{"auths":{"a.io":{"email":[]}}}', 'json: cannot unmarshal array', 'a.io'],
    ['padding that is too short', '{"auths":{"a.io":{"auth":"dTpwcA="}}}', 'illegal base64 data', 'a.io'],
    ['padding that is too long', '{"auths":{"a.io":{"auth":"dTpw="}}}', 'illegal base64 data', 'a.io'],
    ['an auth of white space', '{"auths":{"a.io":{"auth":" "}}}', 'illegal base64 data at input byte 0', 'a.io'],
    [
      'an auth of a line break',
      '{"auths":{"a.io":{"auth":"\\n"}}}',
      'unable to parse auth field, must be formatted as base64(username:password)',
      'a.io',
    ],
    ['headers that are a list', '{"HttpHeaders":[]}', 'json: cannot unmarshal array', undefined],
    ['auths that are a string', '{"auths":"x"}', 'json: cannot unmarshal string', undefined],
    ['a document that is a string', '"x"', 'json: cannot unmarshal string', undefined],
    ['a document that is empty', '', 'invalid JSON', undefined],
  ])('%s', (_, document, reason, key) => {
    const problem = problemOf(() => parseDockerConfigJson(document))
    expect([problem.message, problem.key]).toEqual([reason, key])
  })
})

test('an auth that is not UTF-8 is refused, although the kubelet would take its bytes', () => {
  const auth = btoa('user:p\u00e4ss') // ä in Latin-1
  expect(problemOf(() => parseDockerConfigJson(JSON.stringify({ auths: { 'a.io': { auth } } }))).message).toBe(
    'illegal base64 data',
  )
})

test('the first entry that is wrong is named', () => {
  const document = '{"auths":{"a.io":{"auth":"dTpw"},"b.io":{"auth":"x"},"c.io":1}}'
  expect(problemOf(() => parseDockerConfigJson(document)).key).toBe('b.io')
})

test('the email is kept, and left out where it is empty', () => {
  const document = '{"auths":{"a.io":{"auth":"dTpw","email":"u@example.com"},"b.io":{"auth":"dTpw","email":""}}}'
  expect(parseDockerConfigJson(document)).toEqual(
    new Map([
      ['a.io', { username: 'u', password: 'p', email: 'u@example.com' }],
      ['b.io', { username: 'u', password: 'p' }],
    ]),
  )
})

test('the last of several spellings of a field counts', () => {
  expect(
    parseDockerConfigJson('{"auths":{"a.io":{"USERNAME":"x","username":"u","Password":"p"}}}').get('a.io'),
  ).toEqual({
    username: 'u',
    password: 'p',
  })
})

describe('what no tool writes', () => {
  const deep = 100_000
  const login = { username: 'u', password: 'p' }
  const auth = '{"auth":"dTpw"}'
  const lists = '['.repeat(deep) + ']'.repeat(deep)

  test.each<[string, string, [string, object][]]>([
    ['__proto__ as a registry', `{"auths":{"__proto__":${auth}}}`, [['__proto__', login]]],
    ['constructor as a registry', `{"auths":{"constructor":${auth}}}`, [['constructor', login]]],
    ['a login below __proto__', `{"auths":{"a.io":{"__proto__":${auth}}}}`, [['a.io', { username: '', password: '' }]]],
    ['auths below __proto__', `{"__proto__":{"auths":{"a.io":${auth}}}}`, []],
    ['a registry twice', `{"auths":{"a.io":{"auth":"eDp5"},"a.io":${auth}}}`, [['a.io', login]]],
    ['auths twice', `{"auths":{"b.io":${auth}},"auths":{"a.io":${auth}}}`, [['a.io', login]]],
    ['a field twice', '{"auths":{"a.io":{"auth":"eDp5","auth":"dTpw"}}}', [['a.io', login]]],
    ['lists in lists elsewhere', `{"x":${lists},"auths":{"a.io":${auth}}}`, [['a.io', login]]],
    ['huge numbers elsewhere', `{"x":[1e400,${'9'.repeat(400)}],"auths":{"a.io":${auth}}}`, [['a.io', login]]],
    ['NUL', '{"auths":{"a.io":{"username":"u\\u0000","password":"p"}}}', [['a.io', { ...login, username: 'u\0' }]]],
    [
      'half a character',
      '{"auths":{"a.io":{"username":"u","password":"\\ud800"}}}',
      [['a.io', { ...login, password: '\ud800' }]],
    ],
  ])('is read: %s', (_, document, entries) => {
    expect([...parseDockerConfigJson(document)]).toEqual(entries)
  })

  test.each([
    ['lists in lists for a login', `{"auths":{"a.io":${lists}}}`, 'json: cannot unmarshal array'],
    ['lists without an end', `{"auths":${'['.repeat(deep)}`, 'invalid JSON'],
    ['a password beyond all numbers', '{"auths":{"a.io":{"password":1e400}}}', 'json: cannot unmarshal number'],
    ['a login of 400 digits', `{"auths":{"a.io":${'9'.repeat(400)}}}`, 'json: cannot unmarshal number'],
    ['a byte order mark', '\ufeff{"auths":{}}', 'invalid JSON'],
    ['NUL behind it', '{"auths":{}}\0', 'invalid JSON'],
    ['a comment', '{"auths":{} /* none */}', 'invalid JSON'],
  ])('is refused: %s', (_, document, reason) => {
    expect(problemOf(() => parseDockerConfigJson(document)).message).toBe(reason)
  })

  test('half a character is written to auth as the kubelet would read it', () => {
    const entries: Entries = new Map([['a.io', { ...login, password: 'p\ud800' }]])
    expect(parseDockerConfigJson(formatDockerConfigJson(entries)).get('a.io')?.password).toBe('p\ufffd')
  })
})

test('the legacy form has no auths around its entries', () => {
  expect(parseDockerCfg('{"a.io":{"auth":"dTpw"}}')).toEqual(new Map([['a.io', { username: 'u', password: 'p' }]]))
  expect(parseDockerCfg('{}')).toEqual(new Map())
  expect(parseDockerCfg('null')).toEqual(new Map())
  expect(parseDockerCfg('{"auths":{"a.io":{"auth":"dTpw"}}}')).toEqual(
    new Map([['auths', { username: '', password: '' }]]),
  )
  expect(problemOf(() => parseDockerCfg('[]')).message).toBe('json: cannot unmarshal array')
})

test('what is written has both the auth and its parts, sorted by key, and no email where there is none', () => {
  const entries: Entries = new Map([
    ['b.io', { username: 'u', password: 'p' }],
    ['a.io', { username: 'ü', password: 'p:q', email: 'u@example.com' }],
  ])
  expect(formatDockerConfigJson(entries)).toBe(
    '{"auths":{"a.io":{"username":"ü","password":"p:q","email":"u@example.com","auth":"w7w6cDpx"},' +
      '"b.io":{"username":"u","password":"p","auth":"dTpw"}}}',
  )
})

/** A username cannot hold a colon: the kubelet cuts `auth` at the first one. */
const entry = fc.record(
  {
    username: fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(':', '')),
    password: fc.string({ unit: 'grapheme' }),
    email: fc.string({ unit: 'grapheme', minLength: 1 }),
  },
  { requiredKeys: ['username', 'password'] },
)
const keys = fc.oneof(
  fc.domain(),
  fc.constantFrom('__proto__', 'constructor', '1', '10', ''),
  fc.string({ unit: 'grapheme' }),
)
const entries: fc.Arbitrary<Entries> = fc.array(fc.tuple(keys, entry), { maxLength: 6 }).map((list) => new Map(list))

describe('for any entries', () => {
  test('what is written is read as it was', () => {
    fc.assert(
      fc.property(entries, (all) => {
        expect(parseDockerConfigJson(formatDockerConfigJson(all))).toEqual(all)
      }),
      { numRuns: 1000 },
    )
  })

  test('bytes are counted as the platform’s own does it', () => {
    fc.assert(
      fc.property(entries, (all) => {
        expect(bytesOf(all)).toBe(Buffer.byteLength(formatDockerConfigJson(all)))
      }),
    )
  })

  test('the order they come in does not show in the bytes', () => {
    fc.assert(
      fc.property(entries, (all) => {
        expect(formatDockerConfigJson(new Map([...all].reverse()))).toBe(formatDockerConfigJson(all))
      }),
    )
  })

  test('base64 gives back the text, as the platform’s own does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(encodeBase64(text)).toBe(Buffer.from(text, 'utf8').toString('base64'))
        expect(decodeBase64(encodeBase64(text))).toBe(text)
      }),
    )
  })
})

test('base64 that is none, or not of UTF-8 text, is undefined', () => {
  expect(['!', 'a', '/w==', 'dTo_'].map(decodeBase64)).toEqual([undefined, undefined, undefined, undefined])
})

test('a byte order mark is part of the text', () => {
  expect(decodeBase64(encodeBase64('\ufeffuser'))).toBe('\ufeffuser')
})

describe('no error quotes the document', () => {
  const secret = 'hunter2-S3CR3T'
  const encoded = encodeBase64(`user:${secret}`)
  const value = fc.constantFrom(
    secret,
    `user:${secret}`,
    encoded,
    `${encoded}!`,
    ` ${encoded}`,
    [secret],
    { secret },
    1,
    true,
    null,
  )
  const fields = fc.dictionary(fc.constantFrom('auth', 'username', 'password', 'email', 'Auth'), value)
  const document = fc.record({ auths: fc.oneof(fc.dictionary(fc.domain(), fc.oneof(fields, value)), value) })
  const damage = fc.tuple(fc.nat(200), fc.constantFrom('', '"', '}', ',', secret))

  test('however it is damaged', () => {
    let refused = 0
    fc.assert(
      fc.property(document, damage, (whole, [at, inserted]) => {
        const text = JSON.stringify(whole)
        for (const broken of [text, text.slice(0, at) + inserted + text.slice(at + 1)]) {
          for (const parse of [parseDockerConfigJson, parseDockerCfg]) {
            try {
              parse(broken)
            } catch (problem) {
              refused++
              expect(problem).toBeInstanceOf(DockerConfigProblem)
              expect(String(problem)).not.toMatch(/hunter2|S3CR3T/)
              expect(String(problem)).not.toContain(encoded.slice(0, 8))
            }
          }
        }
      }),
      { numRuns: 1000 },
    )
    expect(refused).toBeGreaterThan(100)
  })
})
