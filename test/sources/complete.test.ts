/** Every source that the API has is whole: documented, shown by an example, and held to the contract. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { kindOf } from '../../src/sources/sources.ts'
import { copyOfCrd } from '../crds/copy.ts'
import { cases } from './cases.ts'

const root = join(import.meta.dirname, '..', '..')
const schema = copyOfCrd('sources.example.com').spec.versions[0]?.schema.openAPIV3Schema
const kinds = Object.keys(schema?.properties?.spec?.properties?.source?.properties ?? {})

/** What has no issuer is not held to what issuers may do. */
const withoutIssuer = ['secretRef', 'files']

const kebab = (kind: string) => kind.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

test('the API has the sources of the issue', () => {
  expect(kinds.length).toBeGreaterThanOrEqual(13)
})

test.each(kinds)('%s is one that the operator knows, and has a page that the overview names', (kind) => {
  expect(kindOf({ [kind]: {} })).toBe(kind)
  const page = `${kebab(kind)}.md`
  expect(existsSync(join(root, 'docs', 'how-to', 'sources', page))).toBe(true)
  expect(readFileSync(join(root, 'docs', 'how-to', 'sources', 'README.md'), 'utf8')).toContain(`[\`${kind}\`](${page})`)
})

test.each(kinds.filter((kind) => kind !== 'secretRef'))('%s has an example of its own', (kind) => {
  const example = readFileSync(join(root, 'examples', 'sources', kebab(kind), 'credential.yaml'), 'utf8')
  expect(example).toMatch(new RegExp(`^ {4}${kind}:`, 'm'))
})

test.each(kinds.filter((kind) => !withoutIssuer.includes(kind)))('%s has a case of the contract', (kind) => {
  expect(cases.map((each) => each.kind)).toContain(kind)
})
