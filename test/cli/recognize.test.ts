/** Which Secrets count as the operator's to somebody who has not its key. */
import { expect, test } from '@jest/globals'
import { recognize } from '../../src/cli/recognize.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { owner, uidOf } from '../model/builders.ts'

const mark = `${'a'.repeat(32)}:${uidOf('hub')}:${'b'.repeat(32)}`
const wroteData = { 'f:data': { 'f:.dockerconfigjson': {} } }
const wroteMark = { 'f:metadata': { 'f:annotations': { 'f:regcred.dev/mark': {} } } }
const label = { 'app.kubernetes.io/managed-by': 'regcred-operator' }

function secret(metadata: Partial<KubeObject['metadata']>): KubeObject {
  return { metadata: { name: 'regcred', namespace: 'team-a', uid: 'uid', resourceVersion: '1', ...metadata } }
}

function by(manager: string, fieldsV1: Record<string, unknown>) {
  return { manager, fieldsV1 }
}

test.each<[string, Partial<KubeObject['metadata']>, ours: boolean, proven: boolean]>([
  [
    'as the operator wrote it',
    {
      labels: label,
      annotations: { 'regcred.dev/mark': mark },
      managedFields: [by('regcred-operator', { ...wroteData, ...wroteMark })],
    },
    true,
    true,
  ],
  [
    'whose data somebody has changed since',
    {
      labels: label,
      annotations: { 'regcred.dev/mark': mark },
      managedFields: [by('regcred-operator', wroteMark), by('kubectl-edit', wroteData)],
    },
    true,
    true,
  ],
  [
    'that somebody has copied with its marks',
    {
      labels: label,
      annotations: { 'regcred.dev/mark': mark },
      managedFields: [by('kubectl-create', { ...wroteData, ...wroteMark })],
    },
    false,
    false,
  ],
  [
    'whose mark is none',
    { labels: label, annotations: { 'regcred.dev/mark': 'x' }, managedFields: [by('regcred-operator', wroteData)] },
    true,
    false,
  ],
  ['with a label alone', { labels: label, managedFields: [by('kubectl-create', wroteData)] }, false, false],
  ['of somebody else', { managedFields: [by('kubectl-create', wroteData)] }, false, false],
])('a Secret %s', (_, metadata, ours, proven) => {
  expect(recognize(secret(metadata))).toMatchObject({ ours, proven })
})

test('what it was made of is by its mark, or else by its owners', () => {
  const managedFields = [by('regcred-operator', { ...wroteData, ...wroteMark })]
  const marked = secret({ annotations: { 'regcred.dev/mark': mark }, ownerReferences: [owner('other')], managedFields })
  expect([...recognize(marked).madeOf]).toEqual([uidOf('hub')])
  expect([...recognize(secret({ ownerReferences: [owner('other')], managedFields })).madeOf]).toEqual([uidOf('other')])
})
