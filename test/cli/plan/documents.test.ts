import { expect, test } from '@jest/globals'
import { DocumentProblem, readDocuments } from '../../../src/cli/plan/documents.ts'

const credential = 'apiVersion: regcred.dev/v1\nkind: RegistryCredential\nmetadata: {name: hub}\n'

/** Ten times ten times ten … of the same. */
const bomb = Array.from(
  { length: 9 },
  (_, i) => `a${i}: &a${i} [${`${i === 0 ? 'x' : `*a${i - 1}`}, `.repeat(10)}]`,
).join('\n')

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
  ['an alias to nothing', `${credential}spec: {a: *p4ssw0rd}`, 'file: document 1 has an alias (*) that leads nowhere'],
  ['too many aliases', bomb, 'file: document 1 has an alias (*) that leads nowhere, or to too much'],
  [
    'a name that would be another path',
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: p4ssw0rd/status}',
    'file: document 1: the name of the Namespace, or of its namespace, is not a name in Kubernetes',
  ],
  [
    'such a namespace',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: "p4ssw0rd?x="}',
    'file: document 1: the name of the Secret, or of its namespace, is not a name in Kubernetes',
  ],
])('%s: the error says where, and quotes nothing', (_, text, message) => {
  expect(() => readDocuments(text, 'file')).toThrow(message)
  expect(() => readDocuments(text, 'file')).toThrow(DocumentProblem)
  expect(() => readDocuments(text, 'file')).not.toThrow(/p4ssw0rd/)
})
