/** docs/how-to/gitops.md and the files for Argo CD and Flux: what they name exists, and what they advise is in the example. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'

const root = join(import.meta.dirname, '..', '..')
const example = 'examples/05-gitops'

const read = (file: string) => readFileSync(join(root, file), 'utf8')

test.each(['docs/how-to/gitops.md', `${example}/README.md`])('the files that %s names exist', (page) => {
  const text = read(page)
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => join(dirname(page), path))
  const paths = [...text.matchAll(/\b(?:examples|config|docs)\/[\w./-]*\w/g)].map(([path]) => path)
  expect(links.length).toBeGreaterThan(1)
  expect([...links, ...paths].filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('every piece of YAML in docs/how-to/gitops.md can be read', () => {
  const pieces = [...read('docs/how-to/gitops.md').matchAll(/```yaml\n([^`]*)```/g)].map(([, text = '']) => text)
  expect(pieces.length).toBeGreaterThan(1)
  for (const text of pieces) expect(parse(text)).toBeInstanceOf(Object)
})

test('the Application applies the folder, and leaves the lists of ServiceAccounts alone', () => {
  const { kind, spec } = parse(read(`${example}/argocd/application.yaml`))
  expect([kind, spec.source.path]).toEqual(['Application', example])
  expect(spec.ignoreDifferences).toEqual([{ kind: 'ServiceAccount', jsonPointers: ['/imagePullSecrets'] }])
  expect(spec.syncPolicy.syncOptions).toContain('RespectIgnoreDifferences=true')
})

test('the Kustomization applies the folder and waits, and what needs it depends on it', () => {
  const [credentials, web] = parseAllDocuments(read(`${example}/flux/sync.yaml`)).map((each) => each.toJS())
  expect(credentials.spec).toMatchObject({ path: `./${example}`, wait: true, prune: true })
  expect(web.spec.dependsOn).toEqual([{ name: credentials.metadata.name }])
})
