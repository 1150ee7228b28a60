/**
 * What of the Helm chart is made from other files: copies of the CRD and of what config/ says in YAML that its templates
 * change in few places, and the table of values in its README. Paths are relative to the working folder.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { valuesTable } from './values-table.ts'

const chart = 'charts/regcred-operator'

/** Where the copies are; nothing else is in there. */
export const copiesFolder = `${chart}/files`

/** The files that are copied, by their names below `files/`. A feature of config/ that the chart gets is a line here. */
const copied: Readonly<Record<string, string>> = {
  'crds/registrycredentials.yaml': 'crds/registrycredentials.yaml',
  'rbac/service-account.yaml': 'config/rbac/service-account.yaml',
  'rbac/cluster-role.yaml': 'config/rbac/cluster-role.yaml',
  'rbac/secrets-cluster-role.yaml': 'config/rbac/secrets-cluster-role.yaml',
  'rbac/role.yaml': 'config/rbac/role.yaml',
  'rbac/metrics.yaml': 'config/rbac/metrics.yaml',
  'identities/role.yaml': 'config/identities/role.yaml',
  'evict-pods/cluster-role.yaml': 'config/evict-pods/cluster-role.yaml',
  'guard/serviceaccounts.yaml': 'config/guard/serviceaccounts.yaml',
  'guard/secrets.yaml': 'config/guard/secrets.yaml',
  'admission/serviceaccounts.yaml': 'config/admission/serviceaccounts.yaml',
  'admission/pods.yaml': 'config/admission/pods.yaml',
  'network-policy/policy.yaml': 'config/network-policy/policy.yaml',
  'manager/disruption-budget.yaml': 'config/manager/disruption-budget.yaml',
}

const tableStart = '<!-- Made from values.yaml by `npm run generate`. -->\n'
const tableEnd = '<!-- The end of what is made. -->\n'

/** The generated files of the chart: path → text. */
export async function generateChart(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const [name, source] of Object.entries(copied)) {
    const banner = `# Copied from ${source} by \`npm run generate\`; do not edit.\n`
    files.set(join(copiesFolder, name), banner + (await readFile(source, 'utf8')))
  }
  files.set(`${chart}/README.md`, await readme())
  return files
}

/** The page as it is, with the table between its two lines. */
async function readme(): Promise<string> {
  const path = `${chart}/README.md`
  const text = await readFile(path, 'utf8')
  const [start, end] = [text.indexOf(tableStart) + tableStart.length, text.indexOf(tableEnd)]
  if (start < tableStart.length || end < start) throw new Error(`${path} has no place for the table of values`)
  return `${text.slice(0, start)}\n${valuesTable(await readFile(`${chart}/values.yaml`, 'utf8'))}\n${text.slice(end)}`
}
