/** The alerts of config/monitoring: what promtool says of them, their lives in alerts.yaml, and a page for each. */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { temporaryFolders } from '../cluster/temporary.ts'
import { promtool } from '../parts/prometheus.ts'
import { testWith } from '../parts/skip.ts'
import { root, rules } from './monitored.ts'

interface Rule {
  alert?: string
  expr: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

const folder = temporaryFolders()
const testWithPrometheus = testWith('prometheus')
const runbooks = join(root, 'docs', 'runbooks')
const { groups } = JSON.parse(rules()) as { groups: { rules: Rule[] }[] }
const alerts = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined)

/** The rules in a folder of their own, with a change made to them. */
function folderWithRules(change = (text: string) => text): string {
  const dir = folder()
  writeFileSync(join(dir, 'rules.yaml'), change(rules()))
  copyFileSync(join(import.meta.dirname, 'alerts.yaml'), join(dir, 'alerts.yaml'))
  return dir
}

testWithPrometheus('promtool takes the rules', async () => {
  const { code, output } = await promtool(['check', 'rules', 'rules.yaml'], { cwd: folderWithRules() })
  expect([code, output]).toEqual([0, expect.stringContaining('SUCCESS')])
})

testWithPrometheus('each alert fires when it is to, and not otherwise', async () => {
  const { code, output } = await promtool(['test', 'rules', 'alerts.yaml'], { cwd: folderWithRules() })
  expect([code, output]).toEqual([0, expect.stringContaining('SUCCESS')])
})

testWithPrometheus('an alert that fires too early is found', async () => {
  const cwd = folderWithRules((text) => text.replace('seconds / 10, 86400', 'seconds / 2, 86400'))
  const { code, output } = await promtool(['test', 'rules', 'alerts.yaml'], { cwd })
  expect([code, output]).toEqual([1, expect.stringContaining('FAILED')])
})

test('every alert is in the tests by its name', () => {
  const lives = readFileSync(join(import.meta.dirname, 'alerts.yaml'), 'utf8')
  expect(alerts.map(({ alert }) => alert).filter((alert) => !lives.includes(`${alert}`))).toEqual([])
})

test('every alert says how bad it is, what it means, and where its page is', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(labels?.severity).toMatch(/^(warning|critical)$/)
    expect(annotations?.summary).toMatch(/\.$/)
    expect(annotations?.description).toMatch(/\.$/)
    expect(annotations?.runbook_url).toMatch(new RegExp(`/docs/runbooks/${alert}\\.md$`))
  }
})

test('there is a page for every alert, and no other', () => {
  const pages = readdirSync(runbooks).sort()
  expect(pages).toEqual([...new Set(alerts.map(({ alert }) => `${alert}.md`))].sort())
  for (const page of pages) {
    const headings = readFileSync(join(runbooks, page), 'utf8').match(/^#.*$/gm)
    const [title, ...others] = headings?.filter((heading) => /^##? /.test(heading)) ?? []
    expect(title).toBe(`# ${page.replace('.md', '')}`)
    expect(others).toEqual(['## Meaning', '## Impact', '## Diagnosis', '## Mitigation'])
  }
})

test('docs/how-to/monitoring.md lists every alert', () => {
  const page = readFileSync(join(root, 'docs', 'how-to', 'monitoring.md'), 'utf8')
  const listed = [...page.matchAll(/^\| \[(\w+)\]\(\.\.\/runbooks\/\1\.md\)/gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual([...new Set(alerts.map(({ alert }) => alert))].sort())
})

test('every file that a page links to is there', () => {
  for (const page of readdirSync(runbooks)) {
    const links = [...readFileSync(join(runbooks, page), 'utf8').matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !existsSync(join(runbooks, link)))).toEqual([])
  }
})
