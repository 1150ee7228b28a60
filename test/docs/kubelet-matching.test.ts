/** The tables of docs/explanation/kubelet-matching.md are what the keyring says. */
import { expect, test } from '@jest/globals'
import { keyMatchesImage, lookup } from '../../src/model/keyring.ts'
import { read } from './markdown.ts'

const page = read('docs/explanation/kubelet-matching.md')
const rows = [...page.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\| \**(yes|no)\b/gm)].map(
  ([, key = '', image = '', answer = '']) => [key, image, answer] as const,
)

test('there are tables', () => {
  expect(rows.length).toBeGreaterThan(25)
  expect(page.match(/^\| `.*$/gm)?.filter((row) => /^\| `[^`]*` +\| `[^`]*` +\| /.test(row))).toHaveLength(rows.length)
})

test.each(rows)('%s and %s: %s', (key, image, answer) => {
  expect(keyMatchesImage(key, image)).toBe(answer === 'yes')
})

test('the keys of one Secret are tried in the order of the list', () => {
  const keys = [...page.matchAll(/^\d\. `([^`]+)`$/gm)].map(([, key = '']) => key)
  expect(keys.length).toBeGreaterThan(4)
  expect(lookup([keys.toSorted().map((key) => [key, key] as const)], 'ghcr.io/acme/app')).toEqual(keys)
})

test('another key than index.docker.io comes first for images of Docker Hub', () => {
  const secret = [
    ['https://index.docker.io/v1/', 'hub'],
    ['docker.io/acme/', 'acme'],
  ] as const
  expect(lookup([secret], 'docker.io/acme/app')).toEqual(['acme'])
  expect(lookup([secret], 'docker.io/library/nginx')).toEqual(['hub'])
})
