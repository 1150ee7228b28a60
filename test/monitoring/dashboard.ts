/** The dashboard of config/monitoring, and its queries as Grafana would ask them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './monitored.ts'

export interface Panel {
  id: number
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { refId: string; expr: string; legendFormat: string }[]
  fieldConfig?: { defaults: { unit: string } }
}

export interface Dashboard {
  uid: string
  schemaVersion: number
  templating: { list: { name: string; type: string; query: string | { query: string } }[] }
  panels: Panel[]
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(root, 'config', 'monitoring', 'dashboard.json'), 'utf8'))
}

/** With all jobs and credentials chosen, and rates over so many seconds. */
export function asked(expression: string, rateSeconds: number): string {
  return expression
    .replaceAll('$job', '.*')
    .replaceAll('$credential', '.*')
    .replaceAll('$__rate_interval', `${rateSeconds}s`)
}
