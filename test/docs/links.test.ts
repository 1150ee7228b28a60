/** Every link within the repository leads somewhere, to the heading that it names. */
import { existsSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from '@jest/globals'
import { anchorsOf, linksOf, pages, read, root } from './markdown.ts'

/** What is wrong with a link of a page, in words; undefined when nothing is. */
function complaint(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(page, '..', path))
  if (target.startsWith('..')) return `${link}: it leads out of the repository`
  if (!existsSync(join(root, target))) return `${link}: there is no ${target}`
  if (anchor === undefined) return undefined
  if (!target.endsWith('.md')) return `${link}: an anchor in what is no Markdown`
  return anchorsOf(target).has(anchor) ? undefined : `${link}: ${target} has no such heading`
}

test('there are pages, with links and anchors', () => {
  expect(pages).toContain('README.md')
  expect(pages.flatMap(linksOf).filter((link) => link.includes('#')).length).toBeGreaterThan(5)
})

test.each(pages)('the links of %s lead somewhere', (page) => {
  const complaints = linksOf(page).map((link) => complaint(page, link))
  expect(complaints.filter((each) => each !== undefined)).toEqual([])
})

test('links that are wrong are found', () => {
  expect(complaint('docs/README.md', 'nowhere.md')).toContain('there is no docs/nowhere.md')
  expect(complaint('docs/README.md', '../README.md#nothing-of-the-kind')).toContain('no such heading')
  expect(complaint('docs/README.md', '../../README.md')).toContain('out of the repository')
  expect(complaint('docs/README.md', '../README.md#what-it-tells')).toBeUndefined()
})

test('the index leads to every page of docs/, by a link to it or to its folder', () => {
  const reached = new Set(['docs/README.md'])
  for (const target of reached) {
    if (!pages.includes(target)) continue
    for (const link of linksOf(target)) reached.add(normalize(join(target, '..', link.split('#')[0] ?? '')))
  }
  const lost = pages.filter((page) => page.startsWith('docs/') && !reached.has(page) && !reached.has(dirname(page)))
  expect(lost).toEqual([])
})

test('every page of docs/ that any file mentions exists', () => {
  const files = globSync(
    '{.github,bench,charts,config,crds,docs,examples,scripts,src,test}/**/*.{md,ts,yaml,yml,tpl,txt,json}',
    {
      cwd: root,
    },
  ).concat(
    'Dockerfile',
    pages.filter((page) => !page.includes('/')),
  )
  const mentioned = files.flatMap((file) =>
    [...read(file).matchAll(/(?<![\w./-])docs\/[a-z/-]+\.md/g)].map(([path]) => ({ file, path })),
  )
  expect(mentioned.length).toBeGreaterThan(30)
  const inThisFile = 'test/docs/links.test.ts'
  const wrong = mentioned.filter(({ file, path }) => file !== inThisFile && !existsSync(join(root, path)))
  expect(wrong).toEqual([])
})
