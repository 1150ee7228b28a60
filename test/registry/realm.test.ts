import { expect, test } from '@jest/globals'
import { isOwnRealm } from '../../src/registry/realm.ts'

const own = (realm: string, registry: string) => isOwnRealm(new URL(realm), new URL(registry))

test.each([
  ['https://auth.docker.io/token', 'https://registry-1.docker.io'],
  ['https://ghcr.io/token', 'https://ghcr.io'],
  ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com'],
  ['https://gitlab.example.com/jwt/auth', 'https://gitlab.example.com:5050'],
  ['https://auth.example.co.uk/token', 'https://registry.example.co.uk'],
  ['https://10.0.0.1/token', 'https://10.0.0.1:5000'],
  ['http://127.0.0.1:5001/token', 'http://localhost:5000'],
  ['http://[::1]:5001/token', 'http://127.0.0.1:5000'],
])('%s may be given a login of %s', (realm, registry) => {
  expect(own(realm, registry)).toBe(true)
})

test.each([
  ['https://evil.example/token', 'https://ghcr.io'],
  ['https://ghcr.io.evil.example/token', 'https://ghcr.io'],
  ['https://evil-ghcr.io/token', 'https://ghcr.io'],
  ['https://evil.co.uk/token', 'https://registry.co.uk'],
  ['https://evil.github.io/token', 'https://acme.github.io'],
  ['https://10.0.0.2/token', 'https://10.0.0.1'],
  ['https://[fd00::2]/token', 'https://[fd00::1]'],
  ['https://auth/token', 'https://registry'],
  ['http://127.0.0.1/token', 'https://registry.example'],
  ['https://user:password@ghcr.io/token', 'https://ghcr.io'],
  ['ftp://ghcr.io/token', 'https://ghcr.io'],
])('%s may not be given a login of %s', (realm, registry) => {
  expect(own(realm, registry)).toBe(false)
})
