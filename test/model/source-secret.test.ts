import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Entries, encodeBase64, formatDockerConfigJson, maxSecretBytes } from '../../src/model/docker-config.ts'
import { entriesOf as entriesOfGiven, GivenProblem } from '../../src/model/given.ts'
import { lookup } from '../../src/model/keyring.ts'
import { canonicalKey } from '../../src/model/registry-key.ts'
import { givenBy, type SourceSecret } from '../../src/model/source-secret.ts'
import { dockerConfig, dockerConfigText, login, many, refused, sized, source } from './source-secret-cases.ts'

function entriesOf(secret: SourceSecret, registries: readonly string[] | undefined): Entries {
  return entriesOfGiven(givenBy(secret), registries)
}

const hub = 'https://index.docker.io/v1/'

/** Docker config in which each key has its own name as username. */
function named(...keys: string[]): SourceSecret {
  return dockerConfig(
    Object.fromEntries(keys.map((key) => [key, { username: `user ${key.replaceAll(':', '')}`, password: 'p' }])),
  )
}

/** Key → username of what was read. */
function users(entries: Entries): Record<string, string> {
  return Object.fromEntries([...entries].map(([key, { username }]) => [key, username]))
}

function problemOf(secret: SourceSecret, registries?: readonly string[]): GivenProblem {
  try {
    entriesOf(secret, registries)
  } catch (problem) {
    if (problem instanceof GivenProblem) return problem
    throw problem
  }
  throw new Error('was not refused')
}

describe('read is', () => {
  test('a docker config, under canonical keys', () => {
    const secret = dockerConfig({
      'https://GHCR.io/v2/': { auth: 'dTpw' },
      'docker.io/acme': { username: 'a', password: 'b', email: 'a@example.com' },
      'index.docker.io': { auth: 'aDp4' },
    })
    expect(entriesOf(secret, undefined)).toEqual(
      new Map([
        ['ghcr.io', { username: 'u', password: 'p' }],
        ['docker.io/acme/', { username: 'a', password: 'b', email: 'a@example.com' }],
        [hub, { username: 'h', password: 'x' }],
      ]),
    )
  })

  test('the legacy docker config', () => {
    const secret = source('kubernetes.io/dockercfg', { '.dockercfg': '{"ghcr.io":{"auth":"dTpw"}}' })
    expect(entriesOf(secret, undefined)).toEqual(new Map([['ghcr.io', { username: 'u', password: 'p' }]]))
  })

  test.each(['kubernetes.io/basic-auth', 'Opaque'])(
    'a username and a password of type %s, for every registry asked for',
    (type) => {
      expect(entriesOf(login('u', 'p:q ü', type), ['docker.io/acme', 'ghcr.io', 'https://ghcr.io'])).toEqual(
        new Map([
          ['docker.io/acme/', { username: 'u', password: 'p:q ü' }],
          ['ghcr.io', { username: 'u', password: 'p:q ü' }],
        ]),
      )
    },
  )

  test('what kubectl create secret docker-registry makes for Docker Hub', () => {
    const secret = dockerConfig({
      [hub]: { username: 'acme', password: 'pw', email: 'a@example.com', auth: 'YWNtZTpwdw==' },
    })
    expect(entriesOf(secret, [])).toEqual(
      new Map([[hub, { username: 'acme', password: 'pw', email: 'a@example.com' }]]),
    )
  })
})

test('as many entries as the status can name are read, of however many there are', () => {
  expect(entriesOf(dockerConfig(many(1024)), undefined).size).toBe(1024)
  const wanted = ['r1.io', 'r1999.io', 'r7.io']
  expect([...entriesOf(dockerConfig(many(2000)), wanted).keys()]).toEqual(wanted)
})

test('entries are read up to the last byte that a pull Secret takes, of however large a source', () => {
  const fits = { 'ghcr.io': sized(maxSecretBytes) }
  const read = entriesOf(dockerConfig(fits), undefined)
  expect(Buffer.byteLength(formatDockerConfigJson(read))).toBe(1_048_576)
  expect(entriesOf(dockerConfig({ ...fits, 'quay.io': sized(maxSecretBytes) }), ['ghcr.io'])).toEqual(read)
})

describe('spec.registries takes from a docker config', () => {
  const some = ['ghcr.io', 'ghcr.io/acme/app', hub, 'docker.io/acme/', '*.example.com', 'reg.example.com/team/']

  test.each([
    ['an entry of that very key', some, ['ghcr.io'], { 'ghcr.io': 'user ghcr.io' }],
    ['the entry of a whole registry for a path in it', some, ['ghcr.io/other'], { 'ghcr.io/other/': 'user ghcr.io' }],
    [
      'the longest entry that covers a path',
      some,
      ['ghcr.io/acme/app'],
      { 'ghcr.io/acme/app': 'user ghcr.io/acme/app' },
    ],
    ['no entry that covers only a part of it', some, ['ghcr.io/acme/'], { 'ghcr.io/acme/': 'user ghcr.io' }],
    [
      'the entry of Docker Hub for an owner',
      some,
      ['docker.io/other'],
      { 'docker.io/other/': 'user https//index.docker.io/v1/' },
    ],
    ['the entry of an owner', some, ['index.docker.io/acme'], { 'docker.io/acme/': 'user docker.io/acme/' }],
    ['all of Docker Hub', some, ['docker.io'], { [hub]: 'user https//index.docker.io/v1/' }],
    ['the entry with a wildcard for one host', some, ['a.example.com'], { 'a.example.com': 'user *.example.com' }],
    ['an entry with more reach for a wildcard', some, ['r*.example.com'], { 'r*.example.com': 'user *.example.com' }],
    [
      'several',
      some,
      ['ghcr.io', 'docker.io/acme'],
      { 'ghcr.io': 'user ghcr.io', 'docker.io/acme/': 'user docker.io/acme/' },
    ],
    ['all when it is empty', ['ghcr.io', 'quay.io'], [], { 'ghcr.io': 'user ghcr.io', 'quay.io': 'user quay.io' }],
  ])('%s', (_, keys, registries, taken) => {
    expect(users(entriesOf(named(...keys), registries))).toEqual(taken)
  })

  test.each([
    ['a host that is not there', ['ghcr.io'], 'quay.io', 'quay.io'],
    [
      'a registry of which only a path is there',
      ['reg.example.com/x', 'reg.example.com/x/x'],
      'reg.example.com',
      'reg.example.com',
    ],
    ['Docker Hub of which only an owner is there', ['docker.io/x/'], 'docker.io', hub],
    ['an owner of whom only an image is there', ['docker.io/acme/x'], 'docker.io/acme', 'docker.io/acme/'],
    ['another port', ['reg.example.com:5000'], 'reg.example.com', 'reg.example.com'],
    ['a wildcard of which only one host is there', ['a.example.com'], '*.example.com', '*.example.com'],
    ['more of a wildcard than is there', ['reg*.example.com'], 'r*.example.com', 'r*.example.com'],
  ])('nothing for %s, and says so', (_, keys, wanted, shown) => {
    const { reason, message } = problemOf(named(...keys), [wanted])
    expect(reason).toBe('SourceInvalid')
    expect(message).toBe(`it has no entry for ${shown}, which spec.registries asks for`)
  })
})

describe('refused, with the entry and the cause, is', () => {
  test.each(refused)('$what', ({ secret, registries, says }) => {
    const problem = problemOf(secret, registries)
    expect([problem.reason, problem.message]).toEqual(['SourceInvalid', says])
  })

  test.each([undefined, []])('a login without registries (%p)', (registries) => {
    const { reason, message } = problemOf(login('u', 'p'), registries)
    expect(reason).toBe('RegistriesRequired')
    expect(message).toContain('name the registries they are for in spec.registries')
  })
})

const keys = fc.constantFrom(
  'ghcr.io',
  'quay.io',
  'docker.io',
  'https://docker.io/acme',
  '*.example.com',
  'localhost:5000',
)
/** Without control characters and, in the username, without colons. */
const word = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => `x${text.replaceAll(/[\p{Cc}:]/gu, '')}`)

describe('for any source', () => {
  test('a good docker config is read whole, and what we write of it is a good source again', () => {
    const entries = fc.uniqueArray(fc.record({ key: keys, username: word, password: word }), {
      selector: ({ key }) => key,
      minLength: 1,
    })
    fc.assert(
      fc.property(entries, (all) => {
        const auths = Object.fromEntries(all.map(({ key, username, password }) => [key, { username, password }]))
        const read = entriesOf(dockerConfig(auths), undefined)
        expect(read).toEqual(new Map(all.map(({ key, ...entry }) => [canonicalKey(key), entry])))
        const written = dockerConfigText(formatDockerConfigJson(read))
        expect(entriesOf(written, undefined)).toEqual(read)
      }),
    )
  })

  test('what spec.registries takes is the entry that the kubelet would use for images below', () => {
    const all = fc.uniqueArray(fc.oneof(keys, fc.constantFrom('ghcr.io/acme', '*.io', 'docker.io/acme/app')), {
      minLength: 1,
    })
    const wanted = fc.constantFrom('ghcr.io', 'docker.io', 'docker.io/acme', 'ghcr.io/acme/app', 'a.example.com')
    fc.assert(
      fc.property(all, wanted, (own, key) => {
        const entries = entriesOf(named(...own), undefined)
        const canonical = canonicalKey(key)
        const image = `${canonical.replace(hub, 'docker.io').replace(/\/$/, '')}/some/app`
        const [used] = entries.has(canonical) ? [entries.get(canonical)] : lookup([[...entries]], image)
        const taken = used ? entriesOf(named(...own), [key]) : problemOf(named(...own), [key]).reason
        expect(taken).toEqual(used ? new Map([[canonical, used]]) : 'SourceInvalid')
      }),
      { numRuns: 500 },
    )
  })

  test('no message holds a value of the Secret, nor a key with a password in it', () => {
    const secret = 'hunter2-S3CR3T'
    const encoded = encodeBase64(`user:${secret}`)
    const text = fc.constantFrom(
      secret,
      `u:${secret}`,
      `${secret}\n`,
      encoded,
      `${encoded}!`,
      encoded.slice(0, -3),
      '',
      '\u0000',
    )
    const key = fc.oneof(
      keys,
      fc.constantFrom(
        `user:${secret}@ghcr.io`,
        `https://user:${secret}@ghcr.io/x:1`,
        `oci://${secret}@a`,
        `${secret}@`,
        `robot:${secret}`,
        ' ghcr.io',
        'a.io:x',
        '',
      ),
    )
    const value = fc.oneof(text, fc.constantFrom(null, 1, [secret], { secret }))
    const entry = fc.oneof(value, fc.dictionary(fc.constantFrom('auth', 'username', 'password', 'email'), value))
    const auths = fc.oneof(fc.dictionary(key, entry), value)
    const cut = fc.nat(120)
    const sources = fc.oneof(
      auths.map(dockerConfig),
      fc.tuple(auths, cut).map(([all, at]) => dockerConfigText(JSON.stringify({ auths: all }).slice(0, at))),
      auths.map((all) => source('kubernetes.io/dockercfg', { '.dockercfg': JSON.stringify(all) })),
      fc
        .record({ username: text, password: text }, { requiredKeys: [] })
        .map((data) => source('Opaque', data as Record<string, string>)),
      text.map(
        (data): SourceSecret => ({ type: 'kubernetes.io/basic-auth', data: { username: data, password: data } }),
      ),
    )
    let failed = 0
    fc.assert(
      fc.property(sources, fc.option(fc.array(key, { maxLength: 2 }), { nil: undefined }), (each, registries) => {
        try {
          entriesOf(each, registries)
        } catch (problem) {
          failed++
          expect(problem).toBeInstanceOf(GivenProblem)
          expect(String(problem)).not.toMatch(/hunter2|S3CR3T/)
          expect(String(problem)).not.toContain(encoded.slice(0, 8))
        }
      }),
      { numRuns: 3000 },
    )
    expect(failed).toBeGreaterThan(500)
  })
})
