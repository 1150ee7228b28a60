/** Two operators as `config/` installs them: one works, the other takes over. */
import type { Cluster } from '../cluster/access.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import type { TcpProxy } from '../kube/tcp-proxy.ts'
import { openTcpLink } from './links.ts'

export interface Replica {
  operator: RunningOperator
  /** Its way to the API server, which no other has. */
  tcp: TcpProxy
}

export async function startReplica(cluster: Cluster, name: string): Promise<Replica> {
  const { tcp, kubeconfig } = await openTcpLink(cluster, name)
  const args = ['--concurrency=2'] // so that there is a middle to strike in, with writes on their way
  return { tcp, operator: await startOperator({ cluster, kubeconfig, replica: true, args }) }
}

export async function leads({ operator }: Replica): Promise<boolean> {
  return /^leader_election_master_status\{.*\} 1$/m.test(await operator.metrics())
}

/** The one that leads, and the other. */
export async function byRole(replicas: readonly Replica[]): Promise<{ leader: Replica; other: Replica }> {
  return await eventually(async () => {
    const roles = await Promise.all(replicas.map(leads))
    const leader = replicas[roles.indexOf(true)]
    const other = replicas[roles.indexOf(false)]
    return leader && other ? { leader, other } : null
  })
}
