/** The program: settings, parts, signals, exit code. */
import { hostname } from 'node:os'
import { delimiter } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import packageJson from '../package.json' with { type: 'json' }
import { operatorName } from './api/names.ts'
import { Exit } from './command-line.ts'
import { type Config, parseConfig } from './config.ts'
import { createCaches } from './controller/watches.ts'
import { Outbound } from './http/outbound.ts'
import { KubeClient } from './kube/client.ts'
import { EventRecorder } from './kube/events.ts'
import { Pace } from './kube/pace.ts'
import { scrapeGuard } from './kube/scrape-guard.ts'
import { RegistryCredentialOperator } from './operator.ts'
import { Process } from './run.ts'
import { ApiAnswers } from './telemetry/api-answers.ts'
import { isExposed, parseBindAddress } from './telemetry/bind-address.ts'
import { certificateFiles } from './telemetry/certificate-files.ts'
import type { Certificates } from './telemetry/certificates.ts'
import { metricsRoutes, probeRoutes } from './telemetry/health.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'
import { Metrics } from './telemetry/metrics.ts'
import { Redactor } from './telemetry/redaction.ts'
import { type Protection, serve } from './telemetry/server.ts'

/** Runs until a signal says stop. */
async function operate(config: Config, log: Logger, redactor: Redactor): Promise<void> {
  const { version } = packageJson
  const metrics = new Metrics(operatorName)
  const answers = new ApiAnswers()
  const kubeConfig = loadKubeConfig(config)
  const pace = new Pace(config.concurrency)
  const connect = (connections: number, saw?: (code: number | undefined) => void) =>
    new KubeClient({
      kubeConfig,
      version,
      connections,
      onResponse: ({ method, path, code }) => {
        metrics.apiRequest(method, path, code)
        answers.saw(method, code)
        saw?.(code)
      },
    })
  const client = connect(config.concurrency, (code) => pace.saw(code))
  // On a connection of its own: writes that wait for a slow answer must not cost the lease.
  const leaseClient = connect(1)
  // For the same reason: whoever can reach /metrics causes its requests.
  const reviewClient = connect(2)
  const { caFiles, insecureHosts } = config
  const outbound = new Outbound({ caFiles, insecureHosts, env: process.env })
  const caches = createCaches(config.secretNames)
  const identity = process.env.POD_NAME ?? hostname()
  const events = new EventRecorder({ client, instance: identity, log })
  const { run, ready, alive } = new Process({
    config,
    identity,
    client,
    pace,
    leaseClient,
    outbound,
    caches,
    events,
    log,
    metrics,
    redactor,
  })
  const operator = new RegistryCredentialOperator(kubeConfig, client, caches, run)

  const servers = await Promise.all([
    serve({
      flag: '--health-probe-bind-address',
      address: config.healthProbeBindAddress,
      routes: probeRoutes({ healthz: [alive], readyz: [ready, answers.check] }),
    }),
    serve({
      flag: '--metrics-bind-address',
      address: config.metricsBindAddress,
      routes: metricsRoutes(metrics),
      ...protectionOf(config, reviewClient, log),
    }),
  ])
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal })
      operator.stop()
    })
  }

  const { namespace, secretNames, healthProbeBindAddress, metricsBindAddress } = config
  log.info('starting', { version, namespace, secretNames, healthProbeBindAddress, metricsBindAddress })
  await operator.start()
  await events.close()
  await Promise.all([client.close(), leaseClient.close(), outbound.close()])
  await Promise.all(servers.map((server) => server?.close()))
  await reviewClient.close()
  log.info('stopped')
}

/** None at a loopback address, where only this machine can ask. Anywhere else the API server says who may. */
function protectionOf(
  { metricsBindAddress, metricsCertDir }: Config,
  client: KubeClient,
  log: Logger,
): { protection?: Protection } {
  const bind = parseBindAddress(metricsBindAddress)
  if (typeof bind !== 'object' || !isExposed(bind)) return {}
  const certificates: Certificates =
    metricsCertDir === undefined
      ? async (...args) => (await import('./telemetry/self-signed.ts')).selfSigned()(...args)
      : certificateFiles('--metrics-cert-dir', metricsCertDir, log)
  return { protection: { certificates, guard: scrapeGuard(client, log) } }
}

/** The base class of the operator reads `KUBECONFIG` as well, so it is set to what was chosen. */
function loadKubeConfig({ kubeconfig }: Config): KubeConfig {
  const kubeConfig = new KubeConfig()
  if (kubeconfig.length === 0) {
    kubeConfig.loadFromCluster()
    return kubeConfig
  }
  process.env.KUBECONFIG = kubeconfig.join(delimiter)
  try {
    kubeConfig.loadFromDefault()
  } catch {
    // The message of a YAML error quotes the lines around it, and with them tokens and keys.
    throw new Error(`${kubeconfig.join(delimiter)} is not a valid kubeconfig; kubectl config view tells what is wrong`)
  }
  if (kubeConfig.getCurrentCluster() === null) {
    const files = kubeconfig.join(delimiter)
    throw new Error(
      `${files} has no current context, or its cluster is missing; kubectl config use-context chooses one`,
    )
  }
  return kubeConfig
}

/** The settings; prints and ends where there is nothing to run. */
function readConfig(): Config {
  try {
    return parseConfig(process.argv.slice(2), process.env)
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    const stream = error.exitCode === 0 ? process.stdout : process.stderr
    stream.write(`${error.message}\n`)
    process.exit(error.exitCode)
  }
}

/** Node would write these to stderr as they are, and errors with all that hangs on them, such as the answers of issuers. */
function redactLastWords(log: Logger): void {
  process.on('uncaughtException', (error) => fail(log, error)) // also of a rejection that nobody handles
  process.removeAllListeners('warning')
  process.on('warning', (error) => log.warn('a warning of Node', { error }))
}

function fail(log: Logger, error: unknown): never {
  log.error('the operator cannot go on', { error })
  process.exit(1)
}

const config = readConfig()
const redactor = new Redactor()
const log = createLogger({ level: config.logLevel, format: process.stdout.isTTY ? 'text' : 'json', redactor })
redactLastWords(log)
try {
  await operate(config, log, redactor)
} catch (error) {
  fail(log, error)
}
