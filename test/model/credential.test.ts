import { describe, expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { interpret } from '../../src/model/credential.ts'

const metadata = { name: 'dockerhub', uid: 'uid-1', resourceVersion: '1', generation: 7 }
const source = { secretRef: { name: 'dockerhub' } }

/** As it comes from the API server, also one stored before a field had its default. */
function stored(spec: object, more: object = {}): RegistryCredential {
  return { metadata: { ...metadata, ...more }, spec: { source, ...spec } } as RegistryCredential
}

test('what the spec says is taken over', () => {
  const credential = interpret(
    stored({
      secretName: 'pull',
      registries: ['ghcr.io'],
      namespaces: {
        include: ['team-*', 'web'],
        exclude: ['team-x'],
        selector: { matchLabels: { a: 'b' } },
        optIn: false,
      },
      serviceAccounts: ['deploy-?'],
      priority: 3,
      suspend: true,
      deletionPolicy: 'Orphan',
      pods: 'AddToOwnList',
      healPods: 'Evict',
    }),
  )
  expect(credential).toMatchObject({
    name: 'dockerhub',
    uid: 'uid-1',
    generation: 7,
    deleting: false,
    secretName: 'pull',
    source,
    registries: ['ghcr.io'],
    priority: 3,
    suspended: true,
    deletionPolicy: 'Orphan',
    pods: 'AddToOwnList',
    healPods: 'Evict',
    namespaces: { selector: { matchLabels: { a: 'b' } }, optIn: false },
  })
  const { include, exclude } = credential.namespaces
  expect(['team-a', 'web', 'other'].map((name) => include?.matches(name))).toEqual([true, true, false])
  expect(['team-x', 'team-a'].map(exclude)).toEqual([true, false])
  expect(['deploy-1', 'deploy-12', 'default'].map(credential.serviceAccounts)).toEqual([true, false, false])
})

describe('what an older object lacks gets the default of the schema', () => {
  test.each([[{}], [{ namespaces: {} }]])('in the spec %p', (spec) => {
    const credential = interpret(stored(spec))
    expect(credential).toMatchObject({
      secretName: 'regcred',
      registries: undefined,
      priority: 0,
      suspended: false,
      deletionPolicy: 'Delete',
      pods: 'Inherit',
      healPods: 'Report',
      namespaces: { include: undefined, selector: undefined, optIn: true },
    })
    expect(credential.namespaces.exclude('team-a')).toBe(false)
    expect(['default', 'deploy'].map(credential.serviceAccounts)).toEqual([true, false])
  })

  test('in the metadata', () => {
    const { generation, ...older } = metadata
    expect(interpret({ metadata: older, spec: stored({}).spec }).generation).toBe(0)
    expect(generation).toBe(7)
  })
})

test('an empty list is not an absent one', () => {
  const { namespaces, serviceAccounts, registries } = interpret(
    stored({ namespaces: { include: [] }, serviceAccounts: [], registries: [] }),
  )
  expect(namespaces.include?.matches('team-a')).toBe(false)
  expect(serviceAccounts('default')).toBe(false)
  expect(registries).toEqual([])
})

test('a deletionTimestamp makes it deleting', () => {
  expect(interpret(stored({}, { deletionTimestamp: '2026-01-02T03:04:05Z' })).deleting).toBe(true)
})
