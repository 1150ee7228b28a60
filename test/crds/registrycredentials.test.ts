/** What the API server admits as a RegistryCredential, what it fills in, and with which words it refuses the rest. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { keyMatchesImage } from '../../src/model/keyring.ts'
import { canonicalKey } from '../../src/model/registry-key.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { type Answer, type Api, openApi } from '../support/api.ts'
import { acceptedRegistries, acceptedSpecs, ignoredByTheKubelet, wrongRegistries, wrongSpecs } from './cases.ts'

let api: Api

beforeAll(() => {
  api = openApi(sharedCluster().adminKubeconfig)
})

/** Asks the API server to create it, without keeping it. */
function create(object: object): Promise<Answer> {
  const credential = {
    apiVersion: 'regcred.dev/v1',
    kind: 'RegistryCredential',
    metadata: { name: 'tested' },
    ...object,
  }
  return api('POST', '/apis/regcred.dev/v1/registrycredentials?dryRun=All&fieldValidation=Strict', credential)
}

/** What is wrong with the object, without the note that the CEL rules wait until its form is right. */
function causes({ body }: Answer): unknown {
  return body.details?.causes?.filter(({ message }) => !message.includes('some validation rules were not checked'))
}

const source = { secretRef: { name: 'dockerhub' } }

describe('a spec is refused with the field and the cure when', () => {
  test.each(wrongSpecs)('$what', async ({ spec, field, says, name = 'tested' }) => {
    const answer = await create({ metadata: { name }, spec })
    expect(causes(answer)).toEqual([{ reason: expect.any(String), field, message: expect.stringContaining(says) }])
    expect(answer.status).toBe(422)
  })

  test.each(wrongRegistries)('registries has $key', async ({ key, says }) => {
    const answer = await create({ spec: { source, registries: ['ghcr.io', key] } })
    expect(causes(answer)).toEqual([
      { reason: expect.any(String), field: 'spec.registries[1]', message: expect.stringContaining(says) },
    ])
    expect(answer.status).toBe(422)
  })
})

test.each(ignoredByTheKubelet)('a registry that the kubelet would ignore is refused: %p', async (key) => {
  const { status } = await create({ spec: { source, registries: [key] } })
  expect(status).toBe(422)
})

describe('a spec is accepted with', () => {
  test.each(acceptedSpecs)('$what', async ({ spec, name = 'tested' }) => {
    const { status, body } = await create({ metadata: { name }, spec })
    expect([status, body.message]).toEqual([201, undefined])
  })

  test.each(acceptedRegistries)(
    'the registry $key, which gives the kubelet a login for $image',
    async ({ key, image }) => {
      const { status, body } = await create({ spec: { source, registries: [key] } })
      expect([status, body.message]).toEqual([201, undefined])
      expect(keyMatchesImage(canonicalKey(key), image)).toBe(true)
    },
  )
})

test('the largest spec is within the cost budget of the rules', async () => {
  const fill = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${i}${'a'.repeat(length)}`.slice(0, length))
  const globs = fill(64, 63)
  const values = fill(32, 63)
  const matchExpressions = fill(16, 63).map((key) => ({ key: `${'p'.repeat(253)}/${key}`, operator: 'NotIn', values }))
  const matchLabels = Object.fromEntries(fill(16, 63).map((key) => [`${'p'.repeat(253)}/${key}`, key]))
  const namespaces = { include: globs, exclude: globs, selector: { matchLabels, matchExpressions } }
  const spec = { source, namespaces, registries: fill(64, 253), serviceAccounts: fill(64, 253) }
  const { status, body } = await create({ metadata: { name: 'n'.repeat(63) }, spec })
  expect([status, body.message]).toEqual([201, undefined])
})

test('what is left out gets its default', async () => {
  const { body } = await create({ spec: { source, namespaces: {} } })
  expect(body.spec).toEqual({
    secretName: 'regcred',
    source,
    namespaces: { optIn: true },
    serviceAccounts: ['default'],
    priority: 0,
    suspend: false,
    deletionPolicy: 'Delete',
    pods: 'Inherit',
    healPods: 'Report',
    refreshInterval: '1h',
    verify: { policy: 'Enforce' },
  })
  expect(body.status).toEqual({ observedGeneration: -1 })
})

test.each([
  ['a misspelt field', { spec: { source, secretname: 'regcred' } }, 'unknown field "spec.secretname"'],
  [
    'a namespace of the source',
    { spec: { source: { secretRef: { name: 'a', namespace: 'b' } } } },
    'spec.source.secretRef.namespace',
  ],
  ['a second, unknown source', { spec: { source: { ...source, ldap: {} } } }, 'unknown field "spec.source.ldap"'],
])('strict validation, as kubectl asks for, refuses %s', async (_, object, says) => {
  const { status, body } = await create(object)
  expect([status, body.message]).toEqual([400, expect.stringContaining(says)])
})
