import { describe, expect, test } from '@jest/globals'
import { nameOf, parseImage } from '../../src/model/image.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

describe('an image', () => {
  test.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest'],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27'],
    ['acme/app', 'docker.io', 'acme/app', 'latest'],
    ['docker.io/nginx', 'docker.io', 'library/nginx', 'latest'],
    ['index.docker.io/acme/app:1', 'docker.io', 'acme/app', '1'],
    ['ghcr.io/acme/app', 'ghcr.io', 'acme/app', 'latest'],
    ['GHCR.io/acme/app', 'ghcr.io', 'acme/app', 'latest'],
    ['registry.example:5000/app', 'registry.example:5000', 'app', 'latest'],
    ['registry.example:5000/team/a_b/c__d/e-f.g:v1_2.3-4', 'registry.example:5000', 'team/a_b/c__d/e-f.g', 'v1_2.3-4'],
    ['localhost/app', 'localhost', 'app', 'latest'],
    ['localhost:5000/app:1', 'localhost:5000', 'app', '1'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'latest'],
    ['[fd00::1]:5000/app', '[fd00::1]:5000', 'app', 'latest'],
    [`ghcr.io/acme/app@${digest}`, 'ghcr.io', 'acme/app', digest],
    [`ghcr.io/acme/app:1@${digest}`, 'ghcr.io', 'acme/app', digest],
    ['registry.example:5000', 'docker.io', 'library/registry.example', '5000'],
  ])('%s is in %s, %s, %s', (text, registry, repository, reference) => {
    expect(parseImage(text)).toEqual({ registry, repository, reference })
  })

  test.each([
    '',
    'Nginx',
    'https://ghcr.io/acme/app',
    'ghcr.io/',
    'ghcr.io/acme//app',
    'ghcr.io/acme/App',
    'ghcr.io/acme/app:',
    'ghcr.io/acme/app@sha256:1',
    'user@ghcr.io/acme/app',
    'ghcr.io/../v2',
    'ghcr.io/acme/app?x',
    '-bad.io/acme/app',
    `ghcr.io/${'a'.repeat(256)}`,
  ])('%j is none', (text) => {
    expect(parseImage(text)).toBeUndefined()
  })

  test('is compared with docker config keys without its tag', () => {
    expect(nameOf({ registry: 'docker.io', repository: 'library/nginx', reference: '1' })).toBe(
      'docker.io/library/nginx',
    )
  })
})
