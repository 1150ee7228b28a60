/**
 * The CustomResourceDefinitions of the prometheus-operator that config/monitoring needs, as a part: files of its Go module,
 * which a Go module proxy serves.
 */
import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Part } from '../cluster/cache.ts'

const version = 'v0.85.0'
/** As in a go.sum. */
export const CRDS_SUM = 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s='

export const CRD_FILES = [
  'monitoring.coreos.com_prometheusrules.yaml',
  'monitoring.coreos.com_servicemonitors.yaml',
] as const

export function monitoringCrdsPart(): Part {
  return {
    name: 'set of monitoring CRDs',
    folder: `monitoring-crds-${version}`,
    sources: [import.meta.filename],
    programs: CRD_FILES,
    fillers: {
      module: async (into, say) => {
        say(`Fetching the Go module of the prometheus-operator ${version}`)
        const args = ['mod', 'download', '-json', `github.com/prometheus-operator/prometheus-operator@${version}`]
        const { stdout } = await promisify(execFile)('go', args, { cwd: into })
        const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string }
        if (Sum !== CRDS_SUM) throw new Error(`the module has the checksum ${Sum}, and not ${CRDS_SUM}`)
        for (const file of CRD_FILES) {
          copyFileSync(join(Dir, 'example', 'prometheus-operator-crd', file), join(into, file))
          chmodSync(join(into, file), 0o755) // the cache asks for what can be run
        }
      },
    },
    cure: 'install Go with a Go module proxy in reach.',
  }
}
