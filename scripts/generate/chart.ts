/**
 * What of the Helm chart is made from other files: copies of the CRD and of what config/ says in YAML that its templates
 * change in few places, and the table of values in its README.
 */
import { readFile } from 'node:fs/promises'
import type { Generated } from './generated.ts'
import { valuesTable } from './values-table.ts'

const folder = 'charts/regcred-operator'

/** What is copied to `files/`, there by the same names. A part of config/ that the chart gets is a line here. */
const copied = [
  'crds/registrycredentials.yaml',
  'config/rbac/service-account.yaml',
  'config/rbac/cluster-role.yaml',
  'config/rbac/secrets-cluster-role.yaml',
  'config/rbac/role.yaml',
  'config/rbac/metrics.yaml',
  'config/identities/role.yaml',
  'config/evict-pods/cluster-role.yaml',
  'config/guard/serviceaccounts.yaml',
  'config/guard/secrets.yaml',
  'config/admission/serviceaccounts.yaml',
  'config/admission/pods.yaml',
  'config/policies/trusted-registries/configmap.yaml',
  'config/policies/trusted-registries/policy.yaml',
  'config/policies/trusted-registries-from-credentials/role.yaml',
  'config/network-policy/policy.yaml',
  'config/manager/disruption-budget.yaml',
  'config/monitoring/metrics-reader.yaml',
  'config/monitoring/service.yaml',
  'config/monitoring/service-monitor.yaml',
  'config/monitoring/prometheus-rule.yaml',
  'config/monitoring/dashboard.json',
]

const tableStart = '<!-- Made from values.yaml by `npm run generate`. -->\n'
const tableEnd = '<!-- The end of what is made. -->\n'

export async function chart(): Promise<Generated[]> {
  return [...(await Promise.all(copied.map(copyOf))), await readme()]
}

async function copyOf(from: string): Promise<Generated> {
  const banner = from.endsWith('.yaml') ? `# Copied from ${from} by \`npm run generate\`; do not edit.\n` : ''
  return { file: `${folder}/files/${from}`, from, text: banner + (await readFile(from, 'utf8')) }
}

/** The page as it is, with the table between its two lines. */
async function readme(): Promise<Generated> {
  const [file, from] = [`${folder}/README.md`, `${folder}/values.yaml`]
  const page = await readFile(file, 'utf8')
  const [start, end] = [page.indexOf(tableStart) + tableStart.length, page.indexOf(tableEnd)]
  if (start < tableStart.length || end < start) throw new Error(`${file} has no place for the table of values`)
  const text = `${page.slice(0, start)}\n${valuesTable(await readFile(from, 'utf8'))}\n${page.slice(end)}`
  return { file, from, text }
}
