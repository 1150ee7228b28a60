/** What pages show to be copied can be: objects are taken by the API server, kustomizations can be built, shell can be read. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { pages, type Snippet, snippetsOf } from './markdown.ts'
import { check, type Fields, firstField, isObject, partsOfOthers, withoutCrd } from './yaml-check.ts'

const snippets = pages.filter((page) => /^(docs|examples|charts)\/|^README/.test(page)).flatMap(snippetsOf)
const ofLanguage = (language: string) => snippets.filter((snippet) => snippet.language === language)
const title = ({ page, line }: Snippet) => `${page}:${line}`

describe('YAML', () => {
  const yaml = ofLanguage('yaml').map((snippet) => [title(snippet), snippet] as const)

  test.each(yaml)('%s', async (_, { text }) => {
    const documents = parseAllDocuments(text)
    expect(documents.flatMap(({ errors }) => errors)).toEqual([])
    for (const document of documents) await check(document.toJS())
  })

  test('what is not tried by the API server is still in some page', () => {
    const contents = yaml.flatMap(([, { text }]) =>
      parseAllDocuments(text).map((document) => document.toJS() as Fields),
    )
    const groups = contents.filter(isObject).map(({ apiVersion }) => apiVersion.split('/')[0])
    expect(Object.keys(withoutCrd).filter((group) => !groups.includes(group))).toEqual([])
    expect(Object.keys(partsOfOthers).filter((field) => !contents.map(firstField).includes(field))).toEqual([])
  })

  test('a snippet that is wrong is refused', async () => {
    await expect(check(parse('source: { secretRef: { name: Upper } }'))).rejects.toThrow('must be the name of a Secret')
    await expect(check(parse('{apiVersion: v1, kind: Secret, metadata: {name: x}, dta: {}}'))).rejects.toThrow('dta')
    await expect(check(parse('components: [../no-such]'))).rejects.toThrow('no-such')
    await expect(check(parse('{apiVersion: x.example.com/v1, kind: X, metadata: {name: x}}'))).rejects.toThrow(
      'no matches',
    )
    await expect(check(parse('something: else'))).rejects.toThrow('something')
  })
})

test.each(ofLanguage('json').map((snippet) => [title(snippet), snippet] as const))('JSON of %s', (_, { text }) => {
  expect(JSON.parse(text)).toBeInstanceOf(Object)
})

test.each(ofLanguage('sh').map((snippet) => [title(snippet), snippet] as const))('shell of %s', (_, { text }) => {
  execFileSync('bash', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] })
})

test('every fence says what is in it', () => {
  const known = ['yaml', 'json', 'sh', 'hcl', 'promql', 'text', 'lua']
  expect(snippets.filter(({ language }) => !known.includes(language)).map(title)).toEqual([])
})
