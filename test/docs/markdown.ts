/** The Markdown files of the repository, as far as tests look at them: links, headings, and what is in fences. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** Paths from the root. */
export const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (name) => ['node_modules', '.git', 'dist'].includes(name),
}).sort()

export interface Snippet {
  page: string
  /** Of its first line in the page. */
  line: number
  /** `yaml`, `sh` …; empty where none is given. */
  language: string
  /** Without the indentation of the fence. */
  text: string
}

export function read(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

export function snippetsOf(page: string): Snippet[] {
  const text = read(page)
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms)].map(
    ({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
      page,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      text: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  )
}

/** Targets of links that lead to no other site: a path from the page's folder, perhaps with an anchor, or an anchor alone. */
export function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of read(page)
    .replaceAll(/^ *```.*?^ *```$/gms, '')
    .matchAll(/^#+ (.*)$/gm)) {
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    let unique = anchor
    for (let again = 1; anchors.has(unique); again += 1) unique = `${anchor}-${again}`
    anchors.add(unique)
  }
  return anchors
}

/** A page without what is in fences or in code. */
function prose(page: string): string {
  return read(page)
    .replaceAll(/^ *```.*?^ *```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '')
}
