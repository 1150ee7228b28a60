/** What is measured, and on what: a control plane of its own, the operator as the image starts it, and what they tell. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIT_FILE } from '../test/cluster/access.ts'
import { type OwnedCluster, startCluster } from '../test/cluster/cluster.ts'
import { installOperator } from '../test/cluster/install.ts'
import { type RunningOperator, startOperator } from '../test/cluster/operator.ts'
import { freePorts } from '../test/cluster/ports.ts'
import { eventually } from '../test/cluster/wait.ts'
import { Lab } from '../test/controller/lab.ts'
import { inParallel } from '../test/support/in-parallel.ts'
import { AuditTail } from './audit-tail.ts'

export const root = join(import.meta.dirname, '..')
const bundle = join(root, 'dist', 'regcred-operator.mjs')
/** As many as the loop beside it has, and the operator's default. */
export const connections = 32
const options = { fieldManager: 'bench' }

/** How Node is started. */
export interface NodeSettings {
  flags: string[]
  env: Record<string, string>
}

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
    const missing: string[] = []
    for (let index = this.namespaces.length; index < count; index++) missing.push(nameOf(index))
    this.namespaces.push(...missing)
    await inParallel(missing, connections, async (name) => {
      await this.makeNamespace(name)
      const builder = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder' } }
      await this.lab.client.create(`/api/v1/namespaces/${name}/serviceaccounts`, builder, options)
    })
    await eventually(async () => (await this.count('/api/v1/serviceaccounts')) >= 2 * count, { timeoutMs: 900_000 })
  }

  async makeNamespace(name: string): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    await this.lab.client.create('/api/v1/namespaces', namespace, options)
  }

  /** How many objects there are. */
  async count(path: string): Promise<number> {
    type List = { metadata: { remainingItemCount?: number }; items: unknown[] }
    const { metadata, items } = await this.lab.client.get<List>(path, { query: { limit: 1 } })
    return (metadata.remainingItemCount ?? 0) + items.length
  }

  /**
   * Starts the operator as the image and its Deployment do, but for what is to be added.
   * @returns it, and the seconds until it was ready
   */
  async startOperator(added?: NodeSettings): Promise<{ operator: RunningOperator; readySeconds: number }> {
    const { flags, env } = imageSettings()
    const command: [string, ...string[]] = [process.execPath, ...flags, ...(added?.flags ?? []), bundle]
    // Not loopback, as in the Deployment: the certificate that it makes for that costs memory.
    const [port] = await freePorts(1)
    const args = [`--metrics-bind-address=0.0.0.0:${port}`]
    const options = { cluster: this.cluster, command, args, env: { ...env, ...added?.env }, replica: true }
    const start = performance.now()
    const operator = await startOperator(options)
    return { operator, readySeconds: (performance.now() - start) / 1000 }
  }

  /** The audit log from now on. */
  follow(): AuditTail {
    return new AuditTail(join(this.cluster.dir, AUDIT_FILE))
  }
}

/** Their order is that of their numbers: see growth.ts. */
function nameOf(index: number): string {
  return `bench-${String(index).padStart(5, '0')}`
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

/** What all threads of the operator have used so far; to ask the process itself would cost it milliseconds. */
export function cpuSeconds({ pid }: RunningOperator): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`)
  const nanoseconds = threads.map((file) => Number(readFileSync(file, 'utf8').split(' ')[0]))
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
}

/** Those with which the image starts it. */
function imageSettings(): NodeSettings {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const entrypoint: string[] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]')
  const env = [...dockerfile.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value])
  return { flags: entrypoint.filter((argument) => argument.startsWith('--')), env: Object.fromEntries(env) }
}
