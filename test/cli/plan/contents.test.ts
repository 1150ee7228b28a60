import { expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../../src/api/registry-credential.ts'
import { inUse, type KnownContent } from '../../../src/cli/known-state.ts'
import { contentAfter, type Source } from '../../../src/cli/plan/contents.ts'
import { encodeBase64 } from '../../../src/model/docker-config.ts'
import { credential } from '../../model/builders.ts'

const known: KnownContent = { keys: ['ghcr.io'], content: inUse }
const noLogin: KnownContent = { keys: undefined, content: inUse }

function source(isNew: boolean, ...keys: string[]): Source {
  const auths = Object.fromEntries(keys.map((key) => [key, { username: 'robot', password: 'p4ssw0rd' }]))
  const data = { '.dockerconfigjson': encodeBase64(JSON.stringify({ auths })) }
  return { state: 'read', secret: { type: 'kubernetes.io/dockerconfigjson', data }, isNew }
}

const another = { content: 'another login' }
const otherSource = { source: { secretRef: { name: 'other' } } }

test.each<
  [string, before: KnownContent | undefined, spec: Partial<RegistryCredentialSpec>, Source | undefined, object]
>([
  ['nothing of the source changes', known, {}, undefined, { keys: ['ghcr.io'], content: inUse }],
  ['a new credential', undefined, {}, source(false, 'ghcr.io/acme'), { keys: ['ghcr.io/acme/'], ...another }],
  [
    'fewer registries of the same source',
    known,
    { registries: ['quay.io'] },
    source(false, 'quay.io', 'ghcr.io'),
    { keys: ['quay.io'], content: inUse },
  ],
  ['another source', known, otherSource, source(false, 'ghcr.io'), { keys: ['ghcr.io'], ...another }],
  ['the source Secret has new data', known, {}, source(true, 'ghcr.io'), { keys: ['ghcr.io'], ...another }],
  [
    'a source that must not be read, with registries',
    known,
    { ...otherSource, registries: ['docker.io/acme'] },
    { state: 'unknown' },
    { keys: ['docker.io/acme/'], ...another },
  ],
  [
    'a source that must not be read, without',
    undefined,
    {},
    { state: 'unknown' },
    { keys: ['what the source of hub gives'], ...another },
  ],
  [
    'a source that is not there, for a new credential',
    undefined,
    {},
    { state: 'missing' },
    { keys: undefined, note: 'source Secret source is not there: nothing is written until it is' },
  ],
  [
    'a source that is not there, where there is a login',
    known,
    {},
    { state: 'missing' },
    { keys: ['ghcr.io'], note: expect.stringContaining('the login in use stays') },
  ],
  [
    'a source that gives nothing that can be used',
    noLogin,
    {},
    source(false),
    { keys: undefined, note: expect.stringMatching(/^source Secret source cannot be used: .*; nothing is written$/) },
  ],
])('%s', (_, before, spec, given, expected) => {
  const was = before && { credential: credential('hub'), content: before }
  expect(contentAfter(was, credential('hub', spec), given)).toMatchObject(expected)
})

test('that a registry has to take a new login first is told, where it is asked', () => {
  const note = (policy: 'Enforce' | 'Warn' | 'Skip') =>
    contentAfter(undefined, credential('hub', { verify: { policy } }), source(false, 'ghcr.io')).note
  expect(note('Enforce')).toBe('a new login is rolled out only if its registry takes it')
  expect([note('Warn'), note('Skip')]).toEqual([undefined, undefined])
})
