/**
 * What the operator costs with many namespaces: `npm run bench -- 1000`. The bundled operator on a real control plane, as
 * its own ServiceAccount; times and requests are those of the API server's audit log, memory that of /proc.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OwnedCluster, startCluster } from '../test/cluster/cluster.ts'
import { installOperator } from '../test/cluster/install.ts'
import { type RunningOperator, startOperator } from '../test/cluster/operator.ts'
import { eventually } from '../test/cluster/wait.ts'
import { Lab } from '../test/controller/lab.ts'
import { inParallel } from '../test/support/in-parallel.ts'

const count = Number(process.argv[2] ?? 1000)
const root = join(import.meta.dirname, '..')
const bundle = join(root, 'dist', 'regcred-operator.mjs')
const user = 'system:serviceaccount:regcred-system:regcred-operator'
const quietSeconds = 30

const cluster = await startCluster()
await installOperator(cluster)
const lab = new Lab(cluster)
console.log(`${count} namespaces …`)
await inParallel(Array(count).keys(), 32, (index) => lab.namespace(`bench-${index}`))
await eventually(async () => (await countOf('/api/v1/serviceaccounts')) >= count, { timeoutMs: 600_000 })
const source = await lab.source('bench', { 'ghcr.io': { username: 'bench', password: 'bench-password-1' } })

const beforeStart = performance.now()
const operator = await startOperator({ cluster, command: [process.execPath, ...nodeFlags(), bundle] })
const readySeconds = (performance.now() - beforeStart) / 1000
await sleep(2000)
const idleMiB = residentMiB(operator)

const credential = { source: { secretRef: { name: source } }, namespaces: { include: ['bench-*'], optIn: true } }
const fanOut = await measure('fan-out', async () => {
  await lab.credential('bench', credential)
})
const rotation = await measure('rotation', () =>
  lab.rotate(source, { 'ghcr.io': { username: 'bench', password: 'bench-password-2' } }),
)
const quiet = await requestsWhile(() => sleep(quietSeconds * 1000))
const removal = await measure('removal', () => lab.deleteCredential(lab.unique('bench')))

console.table({ 'fan-out': fanOut, rotation, removal })
console.log(`start to ready ${readySeconds.toFixed(1)} s with ${count} namespaces`)
console.log(
  `resident memory: ${idleMiB} MiB before the credential, ${residentMiB(operator)} MiB at the end, ${peakMiB(operator)} MiB at most`,
)
console.log(`${quietSeconds} s of quiet: ${quiet.length} requests`)
await operator.stop()
await cluster.stop()

/** Those with which the image starts it. */
function nodeFlags(): string[] {
  const entrypoint = /^ENTRYPOINT (.+)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? '[]'
  return (JSON.parse(entrypoint) as string[]).filter((argument) => argument.startsWith('--'))
}

/** Until the operator has sent nothing for two seconds. */
async function measure(what: string, cause: () => Promise<void>): Promise<Record<string, number>> {
  console.log(`${what} …`)
  const start = new Date()
  await cause()
  const requests = await settled(cluster, start)
  const last = Math.max(...requests.map(({ time }) => time.getTime()))
  const kinds: Record<string, number> = { seconds: (last - start.getTime()) / 1000 }
  for (const { verb, resource, subresource } of requests) {
    const kind = `${verb} ${resource}${subresource && `/${subresource}`}`
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}

async function settled(of: OwnedCluster, since: Date) {
  for (let known = -1; ; ) {
    const requests = (await of.auditLog(since)).filter((entry) => entry.user === user && entry.verb !== 'watch')
    if (requests.length === known) return requests
    known = requests.length
    await sleep(2000)
  }
}

async function requestsWhile(work: () => Promise<void>) {
  const start = new Date()
  await work()
  return (await cluster.auditLog(start)).filter((entry) => entry.user === user && entry.verb !== 'watch')
}

async function countOf(path: string): Promise<number> {
  const { metadata } = await lab.client.get<{ metadata: { remainingItemCount?: number } }>(path, {
    query: { limit: 1 },
  })
  return (metadata.remainingItemCount ?? 0) + 1
}

function residentMiB({ pid }: RunningOperator): number {
  return memory(pid, 'VmRSS')
}

function peakMiB({ pid }: RunningOperator): number {
  return memory(pid, 'VmHWM')
}

function memory(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
}
