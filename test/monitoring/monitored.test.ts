/** What Prometheus sees of a real installation: the metrics of docs/reference/metrics.md, and something in every panel of the dashboard. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { eventually } from '../cluster/wait.ts'
import { partMissing } from '../parts/parts.ts'
import { promtool } from '../parts/prometheus.ts'
import { testWith } from '../parts/skip.ts'
import { asked, dashboard } from './dashboard.ts'
import { type Monitored, root, startMonitored } from './monitored.ts'

const testWithPrometheus = testWith('prometheus')
/** Panels that are rightly empty where all goes well. */
const quiet = ['Watches opened again']

let monitored: Monitored
beforeAll(async () => {
  if (partMissing('prometheus') === undefined) monitored = await startMonitored({ lifeSeconds: 40 })
})
afterAll(() => monitored?.stop())

testWithPrometheus('every query of the dashboard has an answer', async () => {
  for (const { title, targets = [] } of dashboard().panels) {
    for (const { expr } of targets) {
      const query = asked(expr, 30)
      await eventually(async () => {
        const series = await monitored.prometheus.query(query)
        const isAnswered = series.some(({ value }) => Number.isFinite(value))
        if (!isAnswered && !quiet.includes(title)) throw new Error(`${title}: no series for ${query}`)
      })
    }
  }
})

testWithPrometheus('the credentials are seen as they are', async () => {
  const { lab, prometheus } = monitored
  const value = async (expression: string) => (await prometheus.query(expression))[0]?.value
  const named = (name: string) => `credential="${lab.unique(name)}"`
  const leased = named('leased')
  await eventually(async () => {
    expect(await value(`regcred_credential_verified{${named('taken')}}`)).toBe(1)
    expect(await value(`regcred_credential_verified{${named('refused')}}`)).toBe(0)
    expect(await value(`regcred_credential_verified{${leased}}`)).toBeUndefined()
    expect(await value(`regcred_namespaces{${leased}, state="synced"}`)).toBe(3)
    expect(await value(`regcred_namespaces{${leased}, state="failed"}`)).toBe(1)
    expect(await value(`credential:regcred_credential_life:seconds{${leased}}`)).toBeCloseTo(40, 0)
    expect(await value(`credential:regcred_credential_left:seconds{${leased}}`)).toBeGreaterThan(10)
    expect(await value('sum(leader_election_master_status{name="regcred-operator"})')).toBe(1)
    expect(await value('count(leader_election_master_status{name="regcred-operator"})')).toBe(2)
  })
  const told = async () => await prometheus.query('ALERTS')
  await eventually(async () => {
    expect((await told()).map(({ metric }) => `${metric.alertname} ${metric.credential}`).sort()).toEqual([
      `RegcredNamespacesFailing ${lab.unique('leased')}`,
      `RegcredVerificationFailing ${lab.unique('refused')}`,
    ])
  })
  // Pending is for as long as `for` says. One that cannot be renewed comes close to its end.
  monitored.issuer.fail(503)
  await eventually(async () => {
    const late = (await told()).filter(({ metric }) => metric.alertname === 'RegcredCredentialExpiringSoon')
    expect(late.map(({ metric }) => `${metric.severity} ${metric.credential}`).sort()).toEqual([
      `critical ${lab.unique('leased')}`,
      `warning ${lab.unique('leased')}`,
    ])
  })
})

testWithPrometheus('promtool has nothing to say against the metrics', async () => {
  expect(await promtool(['check', 'metrics'], { stdin: await monitored.scrape() })).toEqual({ code: 0, output: '' })
  expect((await promtool(['check', 'metrics'], { stdin: 'bad_total_x 1\n' })).code).not.toBe(0)
})

/** The rows of the tables in docs/reference/metrics.md. */
function documented(): { name: string; labels: string[]; query: string }[] {
  const page = readFileSync(join(root, 'docs', 'reference', 'metrics.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` +\| ([^|]*)\|[^|]*\| `([^|]*)` +\|$/gm)]
  return rows.map(([, name = '', labels = '', query = '']) => ({
    name,
    labels: labels.match(/\w+/g)?.sort() ?? [],
    query,
  }))
}

testWithPrometheus('docs/reference/metrics.md has exactly the metrics of a scrape, with their labels', async () => {
  const text = await monitored.scrape()
  const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name)
  const own = names.filter((name) => !/^(nodejs|process)_/.test(name))
  const page = documented()
  expect(page.map(({ name }) => name).sort()).toEqual(own.sort())
  for (const { name, labels: told } of page) {
    const samples = [...text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, 'gm'))]
    const labels = samples.flatMap(([, pairs = '']) => [...pairs.matchAll(/(\w+)="/g)].map(([, label = '']) => label))
    const seen = [...new Set(labels)].filter((label) => label !== 'le').sort()
    if (samples.length > 0) expect([name, seen]).toEqual([name, told])
  }
})

testWithPrometheus('Prometheus knows what the queries of docs/reference/metrics.md mean', async () => {
  for (const { name, query } of documented()) {
    expect(query).toContain(name)
    await monitored.prometheus.query(query)
  }
  await expect(monitored.prometheus.query('sum by (')).rejects.toThrow('parse error')
})

testWithPrometheus('series are few, and more namespaces make no more of them', async () => {
  const { lab } = monitored
  const seriesOf = (text: string) =>
    text.split('\n').filter((line) => /^(regcred_(?!admission|watch_restarts)|workqueue_|leader_)/.test(line))
  const before = seriesOf(await monitored.scrape()).length
  const made = await Promise.all(Array.from({ length: 20 }, (_, index) => lab.namespace(`more-${index}`)))
  await Promise.all(made.map((name) => lab.label(name, { [`use.regcred.dev/${lab.unique('taken')}`]: 'true' })))
  await eventually(async () => {
    const { status } = await lab.readCredential(lab.unique('taken'))
    expect(status?.namespaces?.summary).toBe('23/23')
  })
  const text = await monitored.scrape()
  expect(seriesOf(text).length).toBe(before)
  expect(before).toBeLessThan(200)
  for (const name of [...made, lab.unique('team-a'), 'robot']) expect(text).not.toContain(name)
})
