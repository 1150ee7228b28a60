import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { maxMarkLength } from '../../src/controller/marks.ts'
import { observeNamespace, observeSecret, observeServiceAccount } from '../../src/controller/observe.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { kubeName } from '../model/names.ts'

function annotated(annotations: Record<string, string>): KubeObject {
  return { metadata: { name: 'x', namespace: 'team-a', uid: 'u', resourceVersion: '1', annotations } }
}

describe('the annotation with the names that we added', () => {
  const managedOf = (text: string) => observeServiceAccount(annotated({ 'regcred.dev/managed': text })).managed

  test('is read leniently', () => {
    expect(managedOf('regcred')).toEqual(['regcred'])
    expect(managedOf(' regcred,,other ,')).toEqual(['regcred', 'other'])
    expect(managedOf('')).toEqual([])
    expect(observeServiceAccount(annotated({})).managed).toEqual([])
  })

  test('holds names of Secrets and nothing else', () => {
    expect(managedOf('regcred,Not A Name,-x,x-,<script>,a.b')).toEqual(['regcred', 'a.b'])
    expect(managedOf(`${'a'.repeat(254)},regcred`)).toEqual(['regcred'])
  })

  test('is read as we write it, whatever names it has', () => {
    fc.assert(
      fc.property(fc.array(kubeName, { maxLength: 16 }), (names) => {
        expect(managedOf(names.join(','))).toEqual(names)
      }),
    )
  })

  test.each([
    ['names of what every object has', 'constructor,__proto__,toString', ['constructor']],
    ['NUL', 'regcred\u0000,a', ['a']],
    ['half a character', 'regcred\ud800,a', ['a']],
    ['JSON', '["regcred"],a', ['a']],
    ['space that is none to the guard', '\ufeffregcred,a', ['a']],
    ['a number beyond all bounds', `1e400,${'9'.repeat(400)}`, ['1e400']],
    ['one name many times', Array(16).fill('a').join(), Array(16).fill('a')],
  ])('with %s gives names of Secrets alone', (_, text, names) => {
    expect(managedOf(text)).toEqual(names)
  })

  test('that we cannot have written does not fill the memory', () => {
    const many = Array.from({ length: 40 }, (_, index) => `n${index}`)
    expect(managedOf(many.join())).toEqual(many.slice(0, 16))
    expect(managedOf(Array.from({ length: 50_000 }, (_, index) => `n${index}`).join())).toEqual([])
  })
})

test('a list of pull Secrets that is longer than any in use is not kept', () => {
  const observe = (count: number) =>
    observeServiceAccount({ ...annotated({}), imagePullSecrets: Array(count).fill({ name: 'x' }) } as KubeObject)
  expect(observe(256)).toMatchObject({ tooMany: false, pullSecrets: Array(256).fill('x') })
  expect(observe(257)).toMatchObject({ tooMany: true, pullSecrets: [] })
})

describe('who else wrote', () => {
  const managed = (...entries: [manager: string | undefined, fieldsV1: object][]): KubeObject => {
    const managedFields = entries.map(([manager, fieldsV1]) => ({
      ...(manager !== undefined && { manager }),
      fieldsV1,
    }))
    return { ...annotated({}), metadata: { ...annotated({}).metadata, managedFields } } as KubeObject
  }
  const list = { 'f:imagePullSecrets': {} }
  const data = { 'f:data': { '.': {}, 'f:.dockerconfigjson': {} } }
  const listManagerOf = (...entries: Parameters<typeof managed>) =>
    observeServiceAccount(managed(...entries)).listManager

  test('a list of pull Secrets is the one who owns that field, and not us', () => {
    expect(listManagerOf(['kubectl', { 'f:metadata': {} }], ['argocd-controller', list])).toBe('argocd-controller')
    expect(listManagerOf(['regcred-operator', list])).toBeUndefined()
    expect(listManagerOf(['regcred-operator', list], ['flux', list])).toBe('flux')
    expect(observeServiceAccount(annotated({})).listManager).toBeUndefined()
  })

  test('the data of a Secret is the one who owns their only key, and not us', () => {
    expect(observeSecret(managed(['regcred-operator', data], ['test', { 'f:data': { 'f:other': {} } }]))).toMatchObject(
      {
        dataIsOurs: true,
        dataManager: undefined,
      },
    )
    expect(observeSecret(managed(['kubectl-edit', data]))).toMatchObject({
      dataIsOurs: false,
      dataManager: 'kubectl-edit',
    })
  })

  test('is anybody’s text, and made short and plain', () => {
    expect(listManagerOf(['<b>click</b>\n\u202e', list])).toBe('_b_click_/b___')
    expect(listManagerOf(['x'.repeat(500), list])).toBe('x'.repeat(64))
    expect(listManagerOf(['', list], [undefined, list])).toBeUndefined()
  })
})

describe('when a list of pull Secrets was written last', () => {
  const created = '2026-01-02T03:04:05Z'
  const field = { 'f:imagePullSecrets': {} }
  const listedAt = (managedFields: object[]) => {
    const metadata = { ...annotated({}).metadata, creationTimestamp: created, managedFields }
    return new Date(observeServiceAccount({ metadata } as KubeObject).listedAt).toISOString()
  }

  test('is told by whoever owns it', () => {
    const fields = [
      { manager: 'a', time: '2026-02-01T00:00:00Z', fieldsV1: field },
      { manager: 'regcred-operator', time: '2026-03-01T00:00:00Z', fieldsV1: { ...field, 'f:metadata': {} } },
      { manager: 'b', time: '2026-04-01T00:00:00Z', fieldsV1: { 'f:secrets': {} } },
    ]
    expect(listedAt(fields)).toBe('2026-03-01T00:00:00.000Z')
  })

  test('is when the ServiceAccount was made, where nobody owns it', () => {
    expect(listedAt([])).toBe('2026-01-02T03:04:05.000Z')
  })
})

describe('the owners of a Secret', () => {
  const ours = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', name: 'a', uid: 'uid-of-a' }
  const observe = (...ownerReferences: object[]) =>
    observeSecret({ metadata: { ...annotated({}).metadata, ownerReferences } } as KubeObject)

  test('are the uids of credentials, of whichever version of the API, as often as they stand there', () => {
    const { owners, foreignOwners } = observe(ours, { ...ours, apiVersion: 'regcred.dev/v2', uid: 'uid-of-b' }, ours)
    expect(owners).toEqual(['uid-of-a', 'uid-of-b', 'uid-of-a'])
    expect(foreignOwners).toEqual([])
  })

  test('of other kinds or API groups are somebody else’s, and kept whole', () => {
    const others = [
      { ...ours, apiVersion: 'other.example/v1' },
      { ...ours, kind: 'Other' },
      { ...ours, apiVersion: 'apps/v1', kind: 'Deployment', controller: true, blockOwnerDeletion: true },
    ]
    expect(observe(...others, ours)).toMatchObject({ owners: ['uid-of-a'], foreignOwners: others })
  })

  test('are kept once for all Secrets that have the same', () => {
    const many = Array.from({ length: 200 }, (_, index) => ({ ...ours, uid: `uid-${index}` }))
    expect(observe(...many).owners).toBe(observe(...many).owners)
  })
})

test('a mark that is longer than any of ours counts as none', () => {
  const markOf = (mark: string) => observeSecret(annotated({ 'regcred.dev/mark': mark })).mark
  expect(markOf('x'.repeat(maxMarkLength))).toHaveLength(maxMarkLength)
  expect(markOf('x'.repeat(maxMarkLength + 1))).toBeUndefined()
})

test('keys that every object has are no label or annotation of ours, and stay what they are', () => {
  const metadata = JSON.parse(
    `{"name":"x","uid":"u","resourceVersion":"1",
      "labels":{"__proto__":"true","constructor":"true","a":"first","a":"last"},
      "annotations":{"__proto__":{"regcred.dev/opt-out":"true","regcred.dev/adopt":"true","regcred.dev/mark":"x"}},
      "managedFields":[{"manager":"x","fieldsV1":{"__proto__":{"f:imagePullSecrets":{}},"constructor":{}}}]}`,
  )
  expect(observeSecret({ metadata })).toMatchObject({ labelled: false, adoptable: false, mark: undefined })
  expect(observeServiceAccount({ metadata })).toMatchObject({ optedOut: false, managed: [], listManager: undefined })
  expect(Object.entries(observeNamespace({ metadata }).labels)).toEqual([
    ['__proto__', 'true'],
    ['constructor', 'true'],
    ['a', 'last'],
  ])
})
