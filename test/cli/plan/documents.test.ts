import { expect, test } from '@jest/globals'
import { DocumentProblem, readDocuments } from '../../../src/cli/plan/documents.ts'

const credential = 'apiVersion: regcred.dev/v1\nkind: RegistryCredential\nmetadata: {name: hub}\n'

test('documents are sorted by their kind, those of lists too, and others are named', () => {
  const text = `
---
${credential}---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: team-a}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: builder}}
- {apiVersion: v1, kind: Secret, metadata: {name: source}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}
- {apiVersion: other/v1, kind: Namespace, metadata: {name: not-ours}}
`
  const { ignored, ...found } = readDocuments(text, 'file.yaml')
  const names = Object.entries(found).map(([kind, list]) => [kind, list.map(({ metadata }) => metadata.name)])
  expect(Object.fromEntries(names)).toEqual({
    credentials: ['hub'],
    namespaces: ['team-a'],
    serviceAccounts: ['builder'],
    secrets: ['source'],
  })
  expect(ignored).toEqual(['Deployment/web', 'Namespace/not-ours'])
})

test('JSON is YAML', () => {
  const json = JSON.stringify({ apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata: { name: 'hub' } })
  expect(readDocuments(json, 'file').credentials).toHaveLength(1)
})

test('an empty text has nothing', () => {
  expect(readDocuments('', 'file').credentials).toEqual([])
})

test.each([
  ['no YAML', `${credential}---\na: [p4ssw0rd\nb: c`, /^file:6:1: this is not YAML \(\w+\)$/],
  ['no object', 'p4ssw0rd', 'file: document 1 is no Kubernetes object: it has no apiVersion or no kind'],
  [
    'no name',
    `${credential}---\napiVersion: v1\nkind: Secret\ndata: {a: p4ssw0rd}`,
    'file: document 2: metadata.name of the Secret is missing',
  ],
])('%s: the error says where, and quotes nothing', (_, text, message) => {
  expect(() => readDocuments(text, 'file')).toThrow(message)
  expect(() => readDocuments(text, 'file')).toThrow(DocumentProblem)
  expect(() => readDocuments(text, 'file')).not.toThrow(/p4ssw0rd/)
})
