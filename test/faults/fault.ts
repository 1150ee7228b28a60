/** What a fault is: a line of the tables in this folder. */
import type { OwnedCluster } from '../cluster/cluster.ts'
import type { RunningOperator } from '../cluster/operator.ts'
import type { HttpProxy } from '../kube/http-proxy.ts'
import type { TcpProxy } from '../kube/tcp-proxy.ts'
import type { Scale } from '../support/scale.ts'
import type { Replica } from './replicas.ts'
import type { Phase, World } from './world.ts'

export interface Fault {
  /** A sentence without its end: `the operator is killed`. */
  name: string
  /** The fault comes in each of these, at a random point of its work unless it is `early`. */
  during: readonly Phase[]
  /** How often it comes. */
  times: Scale
  /** That the credentials are for. */
  namespaces: Scale
  /** What the operator talks to the API server through; default nothing. */
  through?: 'tcp' | 'http'
  /** The operator works under a lease, which it may lose. */
  leaderElection?: true
  /** Two operators take their turn by the lease, each over a connection of its own: `site.replicas`. */
  replicas?: true
  /** It is there before the phase begins, and not at a random point of it. */
  early?: true
  /** Fulfilled when the fault is over, and all the operator needs is there again. */
  strike(site: Site): Promise<void>
  /** What else must hold when the phase has ended; throws what does not. */
  also?(site: Site): Promise<void>
}

/** Where a fault strikes. */
export interface Site {
  cluster: OwnedCluster
  world: World
  /** The one that runs now. */
  readonly operator: RunningOperator
  /** For a fault that wants them. */
  readonly replicas: readonly Replica[]
  /** Begins a phase; its end is waited for after the strike. */
  begin(phase: Phase): Promise<void>
  /** Kills the operator with SIGKILL and starts another one. */
  restart(): Promise<void>
  /** From 0 up to 1. */
  random(): number
  /** For a fault that is `through` it. */
  tcp: TcpProxy
  http: HttpProxy
}
