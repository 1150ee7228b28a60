import { expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../../src/api/registry-credential.ts'
import { coverageOf, selectedIn } from '../../../src/cli/images/coverage.ts'
import { loginsIn } from '../../../src/cli/recognize.ts'
import type { ObservedCredential } from '../../../src/controller/observe.ts'
import { type CredentialOptions, credential, madeOf, namespace, secret } from '../../model/builders.ts'

/** A credential with a login for these docker config keys; undefined: it has none yet. */
function withKeys(
  name: string,
  registries: string[] | undefined,
  spec: Partial<RegistryCredentialSpec> = {},
  options: CredentialOptions = {},
): ObservedCredential {
  const login = registries && { credential: { registries, issuedAt: '2026-01-02T06:00:00Z' } }
  const api = { resourceVersion: '1', finalizers: [], deletionTimestamp: undefined, status: login }
  return { ...credential(name, spec, options), ...api }
}

const everywhere = () => true
const hub = withKeys('hub', ['https://index.docker.io/v1/'])
const acme = withKeys('acme', ['ghcr.io/acme/'])

test.each<[string, ObservedCredential[], string, string[]]>([
  ['a registry', [hub, acme], 'docker.io/library/nginx', ['hub']],
  ['a part of a registry', [hub, acme], 'ghcr.io/acme/app', ['acme']],
  ['another part of it', [hub, acme], 'ghcr.io/acmeevil/app', []],
  ['another registry', [hub, acme], 'ghcr.io.evil.com/acme/app', []],
  ['a wildcard', [withKeys('all', ['*.example.com'])], 'eu.example.com/app', ['all']],
  ['two that are for it', [acme, withKeys('ghcr', ['ghcr.io'])], 'ghcr.io/acme/app', ['acme', 'ghcr']],
  ['one that has no login yet', [withKeys('new', undefined, { registries: ['ghcr.io'] })], 'ghcr.io/acme/app', []],
  [
    'two that give one key to one Secret, where one wins',
    [withKeys('low', ['ghcr.io']), withKeys('high', ['ghcr.io'], { priority: 1 })],
    'ghcr.io/acme/app',
    ['high'],
  ],
  [
    'two that give it to two Secrets',
    [withKeys('a', ['ghcr.io']), withKeys('b', ['ghcr.io'], { secretName: 'other' })],
    'ghcr.io/acme/app',
    ['a', 'b'],
  ],
])('credentials for %s', (_, credentials, image, names) => {
  expect(coverageOf(credentials, everywhere)('team-a', image)).toEqual(names)
})

test('a login covers where it is', () => {
  const secrets = [
    madeOf('acme'),
    secret({ namespace: 'team-b' }),
    { ...madeOf('acme'), namespace: 'team-c', ours: false },
  ]
  const covering = coverageOf([acme, withKeys('ghcr', ['ghcr.io'])], loginsIn(secrets))
  const where = ['team-a', 'team-b', 'team-c', 'team-d'].map((name) => covering(name, 'ghcr.io/acme/app'))
  expect(where).toEqual([['acme'], [], [], []])
})

test('where Secrets are not known a login is taken to be where its credential selects the namespace', () => {
  const credentials = [
    withKeys('a', ['ghcr.io'], { namespaces: { include: ['team-a'], optIn: true } }),
    withKeys('gone', ['ghcr.io'], { secretName: 'other' }, { deleting: true }),
  ]
  const covering = coverageOf(credentials, selectedIn([namespace('team-a'), namespace('team-b')]))
  expect(['team-a', 'team-b', 'new'].map((name) => covering(name, 'ghcr.io/acme/app'))).toEqual([['a'], [], []])
})
