import { describe, expect, test } from '@jest/globals'
import { hasDigest, isTrusted, readTrusted, trustedName, trustsAny } from '../../src/model/trusted.ts'
import { digest, images, lists } from './trusted-cases.ts'

describe('an image', () => {
  test.each(images)('%j is compared as %j', (image, name) => {
    expect(trustedName(image)).toBe(name)
  })

  test.each(images)('%j is trusted where its name is on the list, and never without a name', (image, name) => {
    const everyName = images.map(([, each]) => each)
    expect(isTrusted(image, everyName)).toBe(name !== '')
    expect(isTrusted(image, [])).toBe(false)
  })

  test.each([
    ['nginx', false],
    ['nginx:sha256', false],
    [`nginx@${digest}`, true],
    [`ghcr.io/acme/app:1@${digest}`, true],
    ['ghcr.io/acme/app@sha256:1', false],
    [digest, false],
    ['', false],
  ])('%j names a digest: %j', (image, expected) => {
    expect(hasDigest(image)).toBe(expected)
  })
})

describe('a list', () => {
  test.each(lists)('%j, asked for %j, says %j', (list, image, trusted) => {
    expect(isTrusted(image, readTrusted(list))).toBe(trusted)
  })

  test.each(lists.filter(([, , trusted]) => trusted))('%j has a line that trusts something', (list) => {
    expect(readTrusted(list).some(trustsAny)).toBe(true)
  })

  test.each(images.filter(([, name]) => name !== ''))('for %j, %j is a line that trusts something', (_, name) => {
    expect(trustsAny(name)).toBe(true)
  })

  test.each([
    ['nginx', false],
    ['library/nginx', false],
    ['index.docker.io/library', false],
    ['https://ghcr.io', false],
    ['ghcr.io/*', false],
    ['*.example.com', false],
    ['GHCR.io/acme', false],
    ['ghcr.io/acme/app:1', false],
    ['ghcr.io/acme//', false],
    ['ghcr.io/acme ghcr.io/other', false],
    [`ghcr.io/acme/app@${digest}`, false],
    ['docker.io', true],
    ['docker.io/nginx', true],
    ['localhost', true],
    ['[fd00::1]:5000', true],
    [`ghcr.io/${'a'.repeat(255)}`, true],
  ])('the line %j trusts something: %j', (line, expected) => {
    expect(readTrusted(line).some(trustsAny)).toBe(expected)
  })

  test('is read as people write it', () => {
    const text = '# ours\n\n  ghcr.io/acme/ # all of it\r\ndocker.io/library\n/\n'
    expect(readTrusted(text)).toEqual(['ghcr.io/acme', 'docker.io/library'])
  })
})
