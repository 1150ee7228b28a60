import { describe, expect, test } from '@jest/globals'
import { hasDigest, isTrusted, readTrusted, trustedName } from '../../src/model/trusted.ts'
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

  test('is read as people write it', () => {
    const text = '# ours\n\n  ghcr.io/acme/ # all of it\r\ndocker.io/library\n/\n'
    expect(readTrusted(text)).toEqual(['ghcr.io/acme', 'docker.io/library'])
  })
})
