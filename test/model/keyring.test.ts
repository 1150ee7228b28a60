import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { keyMatchesImage, lookup, parseKey } from '../../src/model/keyring.ts'
import { matchVectors, orderVectors } from './vectors.ts'

describe("as the kubelet's own code answers (keyring-vectors.txt)", () => {
  test.each(matchVectors)('the key $spelling for the image $image: $match', ({ key, image, match }) => {
    expect(keyMatchesImage(key, image)).toBe(match)
  })
})

describe("in the order of the kubelet's own code (keyring-order.txt)", () => {
  test.each(orderVectors)('$name', ({ secrets, image, want }) => {
    expect(lookup(secrets, image)).toEqual(want)
  })
})

/** Run against `pkg/credentialprovider` of Kubernetes v1.37.2 as well; not in the files above. */
describe('as the kubelet answers, in the corners of Go’s url.Parse', () => {
  test.each([
    ['[::1]', '[::1]/acme/app', false], // taken for a character class
    ['[::ffff:10.0.0.5]', '[::ffff:10.0.0.5]/app', false],
    ['[::1]:5000', '[::1]:5000/app', true],
    ['[::1', '[::1/app', false],
    ['g?cr.io', 'ghcr.io/acme', false], // `?` starts a query
    ['g?cr.io', 'g/acme', true],
    ['ghcr.io:', 'ghcr.io/acme', true],
    ['ghcr.io:5000:6', 'ghcr.io:5000/acme', false],
    ['ghcr.io/ac%6de', 'ghcr.io/acme/app', true],
    ['ghcr.io/%zz', 'ghcr.io/acme', false],
    ['ghcr.io/acme%3Fx', 'ghcr.io/acme/app', true], // parsed twice: the `?` is a query the second time
    ['user:password@ghcr.io', 'ghcr.io/acme', true],
    ['user:100%@ghcr.io', 'ghcr.io/acme', false],
    ['us er@ghcr.io', 'ghcr.io/acme', false],
    ['a@b@ghcr.io', 'ghcr.io/acme', true],
    ['ghcr.io#fragment', 'ghcr.io/acme', true],
    ['ghcr.io#%zz', 'ghcr.io/acme', false],
    ['ghcr.io?%zz', 'ghcr.io/acme', true],
    ['ghcr.io/acme\n', 'ghcr.io/acme', false],
    ['ghcr.io?x\n', 'ghcr.io/acme', false],
    ['ghcr.io?\u007f', 'ghcr.io/acme', false],
    ['ghcr.io/v1/v1/acme', 'ghcr.io/v1/acme', true],
    ['ghcr.io/v1/v1/acme', 'ghcr.io/acme', false],
    ['https://https://ghcr.io', 'ghcr.io/acme', false],
    ['ghcr.io', 'gh cr.io/acme', false],
    ['index.docker.io', 'nginx', true],
    ['index.docker.io', '/nginx', false],
    ['index.docker.io', 'index.docker.io/acme/app', true],
  ])('the key %p for the image %p: %p', (key, image, match) => {
    expect(keyMatchesImage(key, image)).toBe(match)
  })
})

test('a key that is no URL is undefined', () => {
  expect(parseKey('registry.local:*')).toBeUndefined()
  expect(parseKey('ghcr.io/%')).toBeUndefined()
})

test('a key is taken apart into host labels, port and path', () => {
  expect(parseKey('https://registry.*.example.com:5000/v2/acme/')).toEqual({
    effective: 'registry.*.example.com:5000/acme/',
    labels: ['registry', '*', 'example', 'com'],
    port: '5000',
    path: '/acme/',
  })
})

test('two spellings of one key are tried one after the other', () => {
  const secrets = [[['ghcr.io', 'first']], [['https://ghcr.io/', 'second']]] as const
  expect(lookup(secrets, 'ghcr.io/acme/app')).toEqual(['first', 'second'])
})

test('without a Secret, or with none that has a key for the image, there is nothing to try', () => {
  expect(lookup([], 'docker.io/library/nginx')).toEqual([])
  expect(lookup([[]], 'docker.io/library/nginx')).toEqual([])
  expect(lookup([[['ghcr.io', 'u']]], 'docker.io/library/nginx')).toEqual([])
})

const keys = fc.constantFrom(
  'https://index.docker.io/v1/',
  'docker.io',
  'docker.io/acme/',
  'ghcr.io',
  'https://ghcr.io/',
  'ghcr.io/acme',
  '*.io',
  'registry.*:5000',
  'no host',
)
const images = fc.constantFrom(
  'docker.io/acme/app',
  'ghcr.io/acme/app',
  'registry.local:5000/app',
  'quay.io/x',
  'localhost/x',
)
const secrets = fc
  .array(fc.uniqueArray(keys, { maxLength: 4 }), { maxLength: 4 })
  .map((all) =>
    all.map((each, secret) => each.map((key): [string, { key: string; secret: number }] => [key, { key, secret }])),
  )

describe('for any pull Secrets', () => {
  test('what is tried matches on its own, and what matches on its own is tried unless it is the Docker Hub fallback', () => {
    fc.assert(
      fc.property(secrets, images, (pullSecrets, image) => {
        const tried = lookup(pullSecrets, image)
        for (const entry of tried) expect(keyMatchesImage(entry.key, image)).toBe(true)
        const own = pullSecrets
          .flat()
          .map(([, entry]) => entry)
          .filter(({ key }) => keyMatchesImage(key, image))
        const direct = own.filter(({ key }) => key !== 'https://index.docker.io/v1/')
        expect(new Set(tried)).toEqual(new Set(direct.length > 0 ? direct : own))
      }),
    )
  })

  test('credentials for the same key are tried in the order of the Secrets', () => {
    fc.assert(
      fc.property(secrets, images, (pullSecrets, image) => {
        const tried = lookup(pullSecrets, image)
        for (const { key } of tried) {
          const places = tried.filter((entry) => entry.key === key).map(({ secret }) => secret)
          expect(places).toEqual([...places].sort((a, b) => a - b))
        }
      }),
    )
  })
})
