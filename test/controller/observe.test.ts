import { describe, expect, test } from '@jest/globals'
import { maxMarkLength } from '../../src/controller/marks.ts'
import { observeSecret, observeServiceAccount } from '../../src/controller/observe.ts'
import type { KubeObject } from '../../src/kube/objects.ts'

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

test('a mark that is longer than any of ours counts as none', () => {
  const markOf = (mark: string) => observeSecret(annotated({ 'regcred.dev/mark': mark })).mark
  expect(markOf('x'.repeat(maxMarkLength))).toHaveLength(maxMarkLength)
  expect(markOf('x'.repeat(maxMarkLength + 1))).toBeUndefined()
})
