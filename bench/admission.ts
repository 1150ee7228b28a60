/**
 * What the admission policies add to a request: `npm run bench:admission`. Dry runs on a real API server: a ConfigMap, which
 * no policy looks at, beside a ServiceAccount and a pod with a list of its own, in turn and one at a time; medians in
 * milliseconds.
 */
import { performance } from 'node:perf_hooks'
import { applyPolicies, dryRun, pod, podsPath } from '../test/admission/policies.ts'
import { startCluster } from '../test/cluster/cluster.ts'
import { installOperator } from '../test/cluster/install.ts'
import { Lab } from '../test/controller/lab.ts'

const rounds = 300
const source = { secretRef: { name: 'none' } }

const cluster = await startCluster()
await installOperator(cluster)
const lab = new Lab(cluster)
const namespace = await lab.namespace('bench')
const table: Record<string, Record<string, string>> = {}

table['no policies'] = await measure()
await applyPolicies(cluster)
let made = 0
for (const count of [0, 1, 10, 40]) {
  for (; made < count; made++) {
    const namespaces = { include: [`${namespace.slice(0, 5)}*`], exclude: ['other-*'], optIn: true }
    await lab.credential(`bench-${made}`, { source, namespaces })
  }
  table[`${count} credentials`] = await measure()
}
for (let index = 0; index < made; index++) {
  await lab.patchCredential(lab.unique(`bench-${index}`), { pods: 'AddToOwnList' })
}
table[`${made} with AddToOwnList`] = await measure()
console.table(table)
await lab.client.close()
await cluster.stop()

async function measure(): Promise<Record<string, string>> {
  const requests: Record<string, (name: string) => Promise<unknown>> = {
    ConfigMap: (name) => create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name } }),
    ServiceAccount: () =>
      lab.client.mergePatch(
        `/api/v1/namespaces/${namespace}/serviceaccounts/default`,
        { metadata: { labels: { bench: 'true' } } },
        dryRun,
      ),
    pod: (name) => create(podsPath(namespace), pod(name, ['own'])),
  }
  const times: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [what, send] of Object.entries(requests)) {
      const start = performance.now()
      await send(`bench-${round}`)
      times[what] = [...(times[what] ?? []), performance.now() - start]
    }
  }
  return Object.fromEntries(Object.entries(times).map(([what, all]) => [what, median(all).toFixed(1)]))
}

function create(path: string, object: object): Promise<unknown> {
  return lab.client.create(path, object, dryRun)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
