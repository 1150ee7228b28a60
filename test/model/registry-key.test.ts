import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { keyMatchesImage, parseKey } from '../../src/model/keyring.ts'
import { canonicalKey, KeyProblem, printableKey } from '../../src/model/registry-key.ts'
import { matchVectors } from './vectors.ts'

const hub = 'https://index.docker.io/v1/'

describe('a key is brought to the spelling that works', () => {
  test.each([
    ['docker.io', hub],
    ['https://docker.io/', hub],
    ['index.docker.io', hub],
    ['index.docker.io/v1', hub],
    ['https://index.docker.io/v1', hub],
    ['https://index.docker.io/v2/', hub],
    ['registry-1.docker.io', hub],
    ['https://registry-1.docker.io/v2/', hub],
    ['hub.docker.com', hub],
    ['registry.hub.docker.com', hub],
    ['Docker.IO', hub],
    ['docker.io/acme', 'docker.io/acme/'],
    ['docker.io/acme/', 'docker.io/acme/'],
    ['index.docker.io/acme', 'docker.io/acme/'],
    ['https://index.docker.io/v1/acme/', 'docker.io/acme/'],
    ['docker.io/acme/app', 'docker.io/acme/app'],
    ['docker.io:443', 'docker.io:443'],
    ['ghcr.io', 'ghcr.io'],
    ['https://GHCR.io/v2/', 'ghcr.io'],
    ['HTTP://ghcr.io', 'ghcr.io'],
    ['ghcr.io/Acme', 'ghcr.io/acme/'],
    ['ghcr.io/v1/acme', 'ghcr.io/acme/'],
    ['ghcr.io/v2', 'ghcr.io'],
    ['ghcr.io/v1beta/app', 'ghcr.io/v1beta/app'],
    ['quay.io/acme', 'quay.io/acme/'],
    ['registry.gitlab.com/acme', 'registry.gitlab.com/acme/'],
    ['public.ecr.aws/acme', 'public.ecr.aws/acme/'],
    ['ghcr.io:443/acme', 'ghcr.io:443/acme'],
    ['registry.example.com/app', 'registry.example.com/app'], // may be an image: stays as it is
    ['registry.example.com/app/', 'registry.example.com/app/'],
    ['registry.example.com/a.b_c--d/e', 'registry.example.com/a.b_c--d/e'],
    ['localhost:5000', 'localhost:5000'],
    ['http://10.0.0.5:5000/', '10.0.0.5:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['[FE80::1]:5000/acme', '[fe80::1]:5000/acme'],
    ['*.example.com', '*.example.com'],
    ['123456789012.dkr.ecr.*.amazonaws.com', '123456789012.dkr.ecr.*.amazonaws.com'],
    ['my_registry:5000', 'my_registry:5000'],
  ])('%p becomes %p', (key, canonical) => {
    expect(canonicalKey(key)).toBe(canonical)
  })
})

describe('a key that the kubelet could never match is refused, with the cause', () => {
  test.each([
    ['', 'has no registry host'],
    ['https://', 'has no registry host'],
    ['/acme', 'has no registry host'],
    [':5000', 'has no registry host'],
    ['oci://ghcr.io', 'has a scheme other than https://'],
    ['docker://ghcr.io', 'has a scheme other than https://'],
    [' ghcr.io', 'is not a registry host'],
    ['ghcr.io ', 'is not a registry host'],
    ['ghcr.io.', 'is not a registry host'],
    ['-ghcr.io', 'is not a registry host'],
    ['[ghcr.io]', 'is not a registry host'],
    ['[::1', 'is not a registry host'],
    ['[a-z]*.example.com', 'is not a registry host'],
    ['reg?stry.example.com', 'is not a registry host'],
    ['ghcr.io?x=1', 'is not a registry host'],
    ['[::1]', 'is an IPv6 address without a port, which the kubelet never matches'],
    ['ghcr.io:', 'has a port that is not a number'],
    ['registry.local:*', 'has a port that is not a number'],
    ['registry.local:123456', 'has a port that is not a number'],
    ['ghcr.io/*/app', 'has a wildcard in its path; the kubelet knows them in the host only'],
    ['ghcr.io/acme?x=1', 'has a wildcard in its path; the kubelet knows them in the host only'],
    ['ghcr.io/acme/app:v1', 'has a tag; credentials are chosen by repository'],
    ['ghcr.io/acme/app@sha256:abc', 'names a user or a digest; only a registry and a path belong here'],
    ['https://user:password@ghcr.io', 'names a user or a digest; only a registry and a path belong here'],
    ['ghcr.io//acme', 'has a path that is no repository path'],
    ['ghcr.io/acme//', 'has a path that is no repository path'],
    ['ghcr.io/-acme', 'has a path that is no repository path'],
    ['ghcr.io/acme app', 'has a path that is no repository path'],
    ['ghcr.io/acme\n', 'has a path that is no repository path'],
    ['ghcr.io/../acme', 'has a path that is no repository path'],
    ['ghcr.io/v1/v2/acme', 'has a path that starts with v1 or v2, which the kubelet takes for an API version'],
    ['registry.example.com/v1/v1', 'has a path that starts with v1 or v2, which the kubelet takes for an API version'],
  ])('%p %s', (key, cause) => {
    expect(() => canonicalKey(key)).toThrow(new KeyProblem(cause))
  })
})

test('a path below an owner no longer reaches owners whose names start alike', () => {
  expect(keyMatchesImage('docker.io/acme', 'docker.io/acme-evil/app')).toBe(true)
  expect(keyMatchesImage(canonicalKey('docker.io/acme'), 'docker.io/acme-evil/app')).toBe(false)
  expect(keyMatchesImage(canonicalKey('docker.io/acme'), 'docker.io/acme/app')).toBe(true)
})

const hosts = [
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'ghcr.io',
  'quay.io',
  'registry.example.com',
  '*.example.com',
  '*.io',
  'gh*.io',
  '*.*',
  '*',
  'localhost',
  '10.0.0.5',
  '[::1]',
]
const paths = [
  '',
  '/',
  '/acme',
  '/acme/',
  '/ac',
  '/acme/app',
  '/acme/app/',
  '/v1',
  '/v2/',
  '/v1/acme',
  '/v1/v2/acme',
  '/library',
]
const keys = fc
  .tuple(
    fc.constantFrom('', '', 'https://', 'http://'),
    fc.constantFrom(...hosts),
    fc.constantFrom('', '', '', ':443', ':5000'),
    fc.constantFrom(...paths),
  )
  .map((parts) => parts.join(''))
const images = fc
  .tuple(
    fc.constantFrom('docker.io', 'ghcr.io', 'quay.io', 'registry.example.com', 'localhost', '10.0.0.5', '[::1]'),
    fc.constantFrom('', '', '', ':443', ':5000'),
    fc.constantFrom('/acme/app', '/acme/app2', '/acme-evil/app', '/acme', '/library/nginx', '/v1/app', '/v2/acme/app'),
  )
  .map((parts) => parts.join(''))

/** Undefined where the key is refused. */
function canonicalOrNone(key: string): string | undefined {
  try {
    return canonicalKey(key)
  } catch (problem) {
    expect(problem).toBeInstanceOf(KeyProblem)
    return undefined
  }
}

/** The owner in a path that is nothing else: where it gets its final slash, images of other owners are lost on purpose. */
function ownerWithoutSlash(key: string): string | undefined {
  return /^(?:https?:\/\/)?[^/]+(?:\/v[12])?\/([^/]+)$/.exec(key)?.[1]
}

describe('for any key', () => {
  test('the canonical spelling of a canonical key is itself', () => {
    const long = fc
      .tuple(fc.constantFrom('ghcr.io/', 'docker.io/', 'registry.example.com/a/'), fc.integer({ min: 250, max: 256 }))
      .map(([start, length]) => start.padEnd(length, 'a'))
    fc.assert(
      fc.property(fc.oneof(keys, long, fc.webUrl(), fc.domain(), fc.string()), (key) => {
        const canonical = canonicalOrNone(key)
        if (canonical !== undefined) expect(canonicalKey(canonical)).toBe(canonical)
      }),
      { numRuns: 3000 },
    )
  })

  test('an image that the key is for is matched by the canonical key, but for the owners cut off by a final slash', () => {
    fc.assert(
      fc.property(keys, images, (key, image) => {
        fc.pre(keyMatchesImage(key, image))
        const canonical = canonicalOrNone(key)
        if (canonical === undefined) {
          expect(key).toMatch(/\/v1\/v2\//) // the only ones refused: what they are for cannot be said otherwise
        } else if (!keyMatchesImage(canonical, image)) {
          const owner = ownerWithoutSlash(key)
          expect(canonical.endsWith(`/${owner}/`)).toBe(true)
          expect(image.startsWith(canonical)).toBe(false)
        }
      }),
      { numRuns: 2000, maxSkipsPerRun: 1000 },
    )
  })

  test('the canonical key works for every image below it, in the eyes of the kubelet', () => {
    fc.assert(
      fc.property(fc.oneof(keys, fc.domain()), (key) => {
        const canonical = canonicalOrNone(key)
        fc.pre(canonical !== undefined)
        const { effective = '', path = '' } = parseKey(canonical) ?? {}
        const base = effective === 'index.docker.io' ? 'docker.io' : effective.replaceAll('*', 'x')
        const below = ['app', 'acme/app'].map((image) => (path.endsWith('/') ? base : `${base}/`) + image)
        for (const image of below) expect([image, keyMatchesImage(canonical, image)]).toEqual([image, true])
      }),
      { numRuns: 2000 },
    )
  })
})

test.each(matchVectors.filter(({ match }) => match))(
  'what the kubelet matches by $spelling, $image, the canonical key matches, or the key is refused aloud',
  ({ key, image }) => {
    const canonical = canonicalOrNone(key)
    const cutOff = key === 'docker.io/acme' && image === 'docker.io/acmeevil/app'
    const refused = ['user@ghcr.io', 'ghcr.io/acme?x=1'].includes(key)
    expect(canonical === undefined ? 'refused' : keyMatchesImage(canonical, image)).toBe(refused ? 'refused' : !cutOff)
  },
)

describe('a key is shown', () => {
  test.each([
    'ghcr.io',
    'https://index.docker.io/v1/',
    'HTTP://Registry_1.example.com:5000/a_b/c-d',
    '*.io',
    'registry:5000/acme/',
    '[::1]:5000',
    'https://[FE80::1]/acme',
    'robot:12345', // no more than a port, as far as anyone can tell
  ])('when it is a plain one: %s', (key) => {
    expect(printableKey(key)).toBe(key)
  })

  test.each([
    '',
    'user@ghcr.io',
    'https://user:password@ghcr.io',
    'ghcr.io acme',
    'ghcr.io\n',
    'a%40b',
    `${'a'.repeat(254)}`,
    'robot:secret',
    'https://robot:secret',
    'robot:secret/acme',
    'robot:12345secret',
    'robot:secret12345',
    'robot:123456',
    'robot:12345:secret',
    'robot:12345\n',
    'robot:-1',
    'robot:',
    ':12345',
    'robot:\u0661\u0662\u0663', // digits in Arabic, not those of a port
    'ghcr.io/robot:secret',
    'ghcr.io:443/robot:secret',
    '[::1]:secret',
    '[robot:secret]',
    '[robot:secret]:5000',
    '::1',
    'pass?word',
  ])('only when it is a plain one: not %p', (key) => {
    expect(printableKey(key)).toBeUndefined()
  })

  test('never when it holds a user and a password', () => {
    const some = fc.string({ minLength: 1 })
    fc.assert(
      fc.property(fc.constantFrom('', 'https://', 'http://'), some, some, (scheme, user, password) => {
        expect(printableKey(`${scheme}${user}:${password}@ghcr.io`)).toBeUndefined()
      }),
    )
  })

  test('never when it is a user and a password, unless that is like a port', () => {
    const user = fc.stringMatching(/^[\w.-]+$/)
    const password = fc.oneof(fc.string({ minLength: 1 }), fc.stringMatching(/^[\w./-]+$/))
    fc.assert(
      fc.property(fc.constantFrom('', 'https://', 'http://'), user, password, (scheme, user, password) => {
        fc.pre(!/^(\d{1,5}(\/|$)|\/\/)/.test(password))
        expect(printableKey(`${scheme}${user}:${password}`)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })
})
