/** What the documentation says is shown by a test is the name of one: in a file that it links, the sentence in quotes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', '..')
const pages = ['docs/explanation/security.md', 'docs/explanation/reliability.md']

/** A link to a test file, and the quoted names of tests that follow it up to the next link, or the end of cell or paragraph. */
const reference = /\]\((?:\.\.\/)+(test\/[\w./-]+\.test\.ts)\)((?:(?!\n\n)[^|[])*)/g

function referencesOf(page: string): { file: string; names: string[] }[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(reference)].map(([, file = '', rest = '']) => ({
    file,
    names: [...rest.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name.replaceAll('\n', ' ')),
  }))
}

describe.each(pages)('%s', (page) => {
  const references = referencesOf(page)

  test('names tests', () => {
    expect(references.flatMap(({ names }) => names).length).toBeGreaterThan(10)
  })

  test.each(references)('$file has what it names', ({ file, names }) => {
    expect(existsSync(join(root, file))).toBe(true)
    const text = readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'")
    expect(names).not.toEqual([])
    expect(names.filter((name) => !text.includes(name))).toEqual([])
  })
})
