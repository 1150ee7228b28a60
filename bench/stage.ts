/** What is measured, and on what: a control plane of its own, the operator as the image starts it, and what they tell. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AUDIT_FILE } from '../test/cluster/access.ts'
import { type AuditEntry, readAuditLog } from '../test/cluster/audit.ts'
import { type OwnedCluster, startCluster } from '../test/cluster/cluster.ts'
import { installOperator } from '../test/cluster/install.ts'
import { type RunningOperator, startOperator } from '../test/cluster/operator.ts'
import { eventually } from '../test/cluster/wait.ts'
import { Lab } from '../test/controller/lab.ts'
import { inParallel } from '../test/support/in-parallel.ts'

export const root = join(import.meta.dirname, '..')
const bundle = join(root, 'dist', 'regcred-operator.mjs')
export const operatorUser = 'system:serviceaccount:regcred-system:regcred-operator'
/** As many as the loop beside it has, and the operator's default. */
const connections = 32

export class Stage {
  readonly cluster: OwnedCluster
  readonly lab: Lab
  /** Of the namespaces that are there, in their order. */
  readonly namespaces: string[] = []

  private constructor(cluster: OwnedCluster) {
    this.cluster = cluster
    this.lab = new Lab(cluster)
  }

  static async set(): Promise<Stage> {
    const cluster = await startCluster()
    await installOperator(cluster)
    return new Stage(cluster)
  }

  async strike(): Promise<void> {
    await this.lab.client.close()
    await this.cluster.stop()
  }

  /** Makes namespaces until there are so many, each with two ServiceAccounts. */
  async grow(count: number): Promise<void> {
    const before = this.namespaces.length
    for (let index = before; index < count; index++) this.namespaces.push(`bench-${String(index).padStart(5, '0')}`)
    const missing = this.namespaces.slice(before).map((name, index) => ({ name, labels: labelsOf(before + index) }))
    await inParallel(missing, connections, ({ name, labels }) => this.makeNamespace(name, labels))
    await eventually(async () => (await this.count('/api/v1/serviceaccounts')) >= 2 * count, { timeoutMs: 900_000 })
  }

  async makeNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
    const { client } = this.lab
    const options = { fieldManager: 'bench' }
    await client.create(
      '/api/v1/namespaces',
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
      options,
    )
    const builder = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder' } }
    await client.create(`/api/v1/namespaces/${name}/serviceaccounts`, builder, options)
  }

  /** How many objects there are. */
  async count(path: string): Promise<number> {
    const { metadata, items } = await this.lab.client.get<{
      metadata: { remainingItemCount?: number }
      items: unknown[]
    }>(path, {
      query: { limit: 1 },
    })
    return (metadata.remainingItemCount ?? 0) + items.length
  }

  /** Starts the operator as the image does. @returns it, and the seconds until it was ready */
  async startOperator(): Promise<{ operator: RunningOperator; readySeconds: number }> {
    const start = performance.now()
    const operator = await startOperator({ cluster: this.cluster, command: [process.execPath, ...nodeFlags(), bundle] })
    return { operator, readySeconds: (performance.now() - start) / 1000 }
  }

  /** Where the audit log ends now. */
  now(): number {
    return statSync(this.#auditFile).size
  }

  /** The operator's own requests since then, but for watches and its lease. */
  async requestsSince(start: number): Promise<AuditEntry[]> {
    return (await this.allSince(start)).filter(
      ({ user, verb, resource, userAgent }) =>
        user === operatorUser && userAgent.startsWith('regcred-operator') && verb !== 'watch' && resource !== 'leases',
    )
  }

  allSince(start: number): Promise<AuditEntry[]> {
    return readAuditLog(this.#auditFile, new Date(0), start)
  }

  /** What the operator sends from now on until it has sent nothing for two seconds. */
  async requestsUntilQuiet(start: number): Promise<AuditEntry[]> {
    for (let known = -1; ; ) {
      await sleep(2_000)
      const requests = await this.requestsSince(start)
      if (requests.length === known) return requests
      known = requests.length
    }
  }

  get #auditFile(): string {
    return join(this.cluster.dir, AUDIT_FILE)
  }
}

/** A label by which selections of any size can be made: see growth.ts. */
export function labelsOf(index: number): Record<string, string> {
  return { bucket: String(Math.floor(index / 5)) }
}

/** Verb and resource → how many. */
export function countsOf(requests: readonly AuditEntry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { verb, resource, subresource } of requests) {
    const kind = `${verb} ${resource}${subresource && `/${subresource}`}`
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Of what the work is made of, Secrets and ServiceAccounts: the end of the last. Milliseconds since 1970. */
export function endOf(requests: readonly AuditEntry[]): number {
  return Math.max(...requests.filter(isWork).map(({ ended }) => ended.getTime()))
}

export function isWork({ resource, namespace }: AuditEntry): boolean {
  return (resource === 'secrets' || resource === 'serviceaccounts') && namespace !== 'regcred-system'
}

export function residentMiB({ pid }: RunningOperator): number {
  return memory(pid, 'VmRSS')
}

/** The most there ever was. */
export function peakMiB({ pid }: RunningOperator): number {
  return memory(pid, 'VmHWM')
}

function memory(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
}

/** User and system time that it has used so far. */
export async function cpuSeconds(operator: RunningOperator): Promise<number> {
  const [, seconds] = /^process_cpu_seconds_total (\S+)$/m.exec(await operator.metrics()) ?? []
  return Number(seconds)
}

/** Those with which the image starts it. */
function nodeFlags(): string[] {
  const entrypoint = /^ENTRYPOINT (.+)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? '[]'
  return (JSON.parse(entrypoint) as string[]).filter((argument) => argument.startsWith('--'))
}
