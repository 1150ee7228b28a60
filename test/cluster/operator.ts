/**
 * Runs the operator under test as users run it: `node src/main.ts` in a process
 * of its own, as the ServiceAccount that config/ installs and so with its RBAC.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './access.ts'
import { startGuard } from './guard.ts'
import { acquireLock } from './lock.ts'
import { freePorts } from './ports.ts'
import { assertReady, statusOf } from './ready.ts'
import { createServer } from './server.ts'
import { sharedCluster } from './shared.ts'

export interface OperatorOptions {
  /** Default: the shared control plane of the jest run. */
  cluster?: Cluster
  /** Further arguments. */
  args?: string[]
  /** Further environment variables. */
  env?: Record<string, string>
  /** Kubeconfig file; default one of the operator's ServiceAccount. */
  kubeconfig?: string
  /** Program and first arguments; default Node with src/main.ts. */
  command?: [string, ...string[]]
  /** Default true; false for a start that is expected to wait or to fail. */
  untilReady?: boolean
  /** It takes its turn by the lease, beside others that do so too; it waits for nobody's end. */
  replica?: boolean
}

export interface RunningOperator {
  /** Undefined when it has ended. */
  readonly pid: number | undefined
  /** All that it has written so far. */
  logs(): string
  /** The file with that. */
  readonly logFile: string
  readonly healthUrl: string
  readonly metricsUrl: string
  /** HTTP status of `/healthz` or `/readyz`. */
  health(path: '/healthz' | '/readyz'): Promise<number>
  /** Text of `/metrics`. */
  metrics(): Promise<string>
  /** SIGTERM; its exit code. Kills it and throws if it is still there after a minute. */
  stop(): Promise<number>
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>
  /** For instance SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void
}

/**
 * Timeout for a jest hook that starts an operator: it may have to wait for the
 * operators of other test files that run at the same time.
 */
export const OPERATOR_HOOK_TIMEOUT_MS = 900_000

const ROOT = join(import.meta.dirname, '..', '..')
const NAMESPACE = 'regcred-system'
const SERVICE_ACCOUNT = 'regcred-operator'
/** The registries that examples name are real ones, and must not be asked by tests. Loopback is never sent by a proxy. */
const noInternet = { HTTPS_PROXY: 'http://127.0.0.1:9' }
const STOP_TIMEOUT_MS = 60_000

/**
 * Starts the operator and waits until it is ready. Two operators would undo each
 * other's work, so only one runs on a control plane at a time: a second call
 * waits until the first one's operator has ended, in whichever process that is.
 */
export async function startOperator(options: OperatorOptions = {}): Promise<RunningOperator> {
  const { cluster = sharedCluster(), args = [], env = {}, untilReady = true, replica = false } = options
  const [binary, ...firstArgs] = options.command ?? [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    'src/main.ts',
  ]
  const kubeconfig =
    options.kubeconfig ?? (await cluster.kubeconfigFor({ namespace: NAMESPACE, serviceAccount: SERVICE_ACCOUNT }))
  const lock = replica ? undefined : await acquireLock(join(cluster.dir, 'operator.lock'), () => {})
  const [healthPort = 0, metricsPort = 0] = await freePorts(2)
  const healthUrl = `http://127.0.0.1:${healthPort}`
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
  const logFile = join(cluster.dir, `operator-${randomUUID()}.log`)
  const guard = startGuard()
  const server = createServer({
    name: 'the operator',
    binary,
    args: [
      ...firstArgs,
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${NAMESPACE}`,
      `--leader-elect=${replica}`,
      `--health-probe-bind-address=127.0.0.1:${healthPort}`,
      `--metrics-bind-address=127.0.0.1:${metricsPort}`,
      ...args,
    ],
    // Nothing of the developer's or of jest's (NODE_OPTIONS, KUBECONFIG, proxies) reaches it.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...noInternet, ...env },
    cwd: ROOT,
    logFile,
    guard,
    ready: () => (untilReady ? assertReady(`${healthUrl}/readyz`) : Promise.resolve()),
  })

  const started = server.start()
  void server.exited().then(() => {
    guard.end()
    lock?.release()
  })
  try {
    await started
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    get pid() {
      return server.pid
    },
    logFile,
    healthUrl,
    metricsUrl,
    logs: () => readFileSync(logFile, 'utf8'),
    health: (path) => statusOf(healthUrl + path),
    metrics: async () => (await fetch(metricsUrl)).text(),
    async stop() {
      const timer = setTimeout(() => server.signal('SIGKILL'), STOP_TIMEOUT_MS)
      const { code } = await server.stop('SIGTERM')
      clearTimeout(timer)
      if (code === null)
        throw new Error(`the operator did not end by itself on SIGTERM:\n${readFileSync(logFile, 'utf8')}`)
      return code
    },
    kill: async () => void (await server.stop()),
    signal: (signal) => server.signal(signal),
  }
}
