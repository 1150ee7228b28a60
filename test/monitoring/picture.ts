/**
 * `node test/monitoring/picture.ts` draws docs/how-to/monitoring.svg: what the queries of the dashboard give of seven minutes of
 * a real installation. It needs the control plane and Prometheus (test/parts/provision.ts), and eight minutes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Prometheus } from '../parts/prometheus.ts'
import { asked, dashboard, type Panel } from './dashboard.ts'
import { root, startMonitored } from './monitored.ts'
import { type Drawing, plotPanels } from './plot-panels.ts'

const [lifeSeconds, wellSeconds, illSeconds] = [120, 300, 120]
/** Between two points, and over which rates are. */
const [step, rateSeconds] = [6, 30]

async function draw(panel: Panel, prometheus: Prometheus, start: number, end: number): Promise<Drawing> {
  const lines: Drawing['lines'] = []
  for (const { expr, legendFormat } of panel.targets ?? []) {
    for (const { metric, values } of await prometheus.queryRange(asked(expr, rateSeconds), start, end, step)) {
      const name = legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '')
      lines.push({ name: name.replace(/-[0-9a-f]{6}\b/, ''), values }) // the tests' names are unique
    }
  }
  return { panel, lines }
}

const { lab, prometheus, issuer, stop } = await startMonitored({ lifeSeconds })
try {
  const start = Date.now() / 1000
  const labels = { [`use.regcred.dev/${lab.unique('leased')}`]: 'true' }
  const teams = setInterval(() => void lab.namespace(`team-${Date.now()}`, labels).catch(console.error), 20_000)
  await sleep(wellSeconds * 1_000)
  issuer.fail(503)
  await sleep(illSeconds * 1_000)
  clearInterval(teams)
  const end = Date.now() / 1000
  const drawings: Drawing[] = []
  for (const panel of dashboard().panels) drawings.push(await draw(panel, prometheus, start, end))
  const title = "The dashboard's queries over seven minutes of an installation with three credentials"
  const file = join(root, 'docs', 'how-to', 'monitoring.svg')
  writeFileSync(file, plotPanels(drawings, title, start, end))
  console.log(file)
} finally {
  await stop()
}
