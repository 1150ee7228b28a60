/**
 * The settings of the operator: each is a flag, the same as an environment variable, and a default, in this order of
 * rank. Everything comes in through the parameters, so that every rule can be tested; main.ts prints and exits.
 */
import { readFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { defaultSecretName, systemNamespace } from './api/names.ts'
import { Exit, readCommandLine } from './command-line.ts'
import {
  absolutePath,
  bindAddress,
  boolean,
  configMapName,
  host,
  logLevel,
  namespaceName,
  secretName,
  type ValueKind,
  variableName,
  wholeNumber,
} from './setting-values.ts'
import type { SourceSettings } from './sources/source.ts'
import { isExposed, parseBindAddress } from './telemetry/bind-address.ts'
import type { LogLevel } from './telemetry/logger.ts'

export interface Config {
  /** Files to load, the first outranking the others (KUBECONFIG may list several). Empty: the pod's ServiceAccount. */
  kubeconfig: readonly string[]
  /** The operator's own namespace. */
  namespace: string
  /** Names that pull Secrets may have: at least one, each once. */
  secretNames: readonly string[]
  /** Reconciles at the same time. */
  concurrency: number
  leaderElect: boolean
  /** PEM files with CAs of issuers and registries. */
  caFiles: readonly string[]
  /** host or host:port that may be spoken to without TLS. */
  insecureHosts: readonly string[]
  /** What sources may use of this machine. */
  sources: SourceSettings
  /** A ConfigMap whose list of the registries of credentials is kept. Undefined: there is none. */
  trustedRegistries: string | undefined
  /** Checked; telemetry/bind-address.ts reads it. */
  metricsBindAddress: string
  /** Folder with tls.crt and tls.key. Undefined: a certificate that the operator signs itself. */
  metricsCertDir: string | undefined
  /** Checked; telemetry/bind-address.ts reads it. */
  healthProbeBindAddress: string
  logLevel: LogLevel
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a file; throws when it cannot be read. */
export type ReadFile = (path: string) => string

const POD_NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/**
 * Reads the arguments after the program's name, and the environment.
 * @throws Exit for --help and --version, and with all mistakes at once: the setting, the wrong value, the cure
 */
export function parseConfig(argv: readonly string[], env: Environment, readFile: ReadFile = readText): Config {
  const flags = readCommandLine(argv)
  const problems: string[] = []
  const inPod = Boolean(env.KUBERNETES_SERVICE_HOST)

  /** One setting. A variable that is empty counts as not set. */
  function read<T>(
    flag: string,
    typed: string | true | undefined,
    variable: string,
    kind: ValueKind<T>,
  ): T | undefined {
    const text = typed === undefined ? env[variable] : String(typed)
    if (text === undefined || (text === '' && typed === undefined)) return undefined
    const value = kind.parse(text)
    const where = typed === undefined ? `${variable} (${flag})` : flag
    if (value === undefined) problems.push(`${where}: "${text}" ${kind.cure}`)
    return value
  }

  function readNamespace(): string {
    const flag = '--namespace'
    const set = env.REGCRED_NAMESPACE ? 'REGCRED_NAMESPACE' : 'POD_NAMESPACE'
    const ofPod = inPod ? tryRead(readFile, POD_NAMESPACE_FILE)?.trim() : undefined
    return read(flag, flags.namespace, set, namespaceName) ?? (ofPod || systemNamespace)
  }

  /** A setting that may be given several times, or in a variable as a list; each value once. */
  function readList<T>(flag: string, typed: string[] | undefined, variable: string, kind: ValueKind<T>): T[] {
    const listed = (env[variable] ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '')
    const values =
      typed?.map((text) => read(flag, text, variable, kind)) ??
      listed.map((text) => read(`${variable} (${flag})`, text, variable, kind))
    return [...new Set(values.filter((value) => value !== undefined))]
  }

  function readSecretNames(): string[] {
    const names = readList('--secret-name', flags.secretName, 'REGCRED_SECRET_NAMES', secretName)
    return names.length > 0 ? names : [defaultSecretName]
  }

  /** Programs and files there become credentials, so they are named in full and never found by accident. */
  function readSourceSettings(): SourceSettings {
    return {
      filesDir: read('--files-dir', flags.filesDir, 'REGCRED_FILES_DIR', absolutePath),
      execPluginDir: read('--exec-plugin-dir', flags.execPluginDir, 'REGCRED_EXEC_PLUGIN_DIR', absolutePath),
      execPluginEnv: readList('--exec-plugin-env', flags.execPluginEnv, 'REGCRED_EXEC_PLUGIN_ENV', variableName),
    }
  }

  const config: Config = {
    kubeconfig: kubeconfigFiles(flags.kubeconfig, env, readFile, problems),
    namespace: readNamespace(),
    secretNames: readSecretNames(),
    concurrency: read('--concurrency', flags.concurrency, 'REGCRED_CONCURRENCY', wholeNumber(1, 1_000)) ?? 32,
    leaderElect: read('--leader-elect', flags.leaderElect, 'REGCRED_LEADER_ELECT', boolean) ?? true,
    caFiles: readList('--ca-file', flags.caFile, 'REGCRED_CA_FILES', absolutePath),
    insecureHosts: readList('--insecure-host', flags.insecureHost, 'REGCRED_INSECURE_HOSTS', host),
    sources: readSourceSettings(),
    trustedRegistries: read(
      '--trusted-registries',
      flags.trustedRegistries,
      'REGCRED_TRUSTED_REGISTRIES',
      configMapName,
    ),
    metricsBindAddress:
      read('--metrics-bind-address', flags.metricsBindAddress, 'REGCRED_METRICS_BIND_ADDRESS', bindAddress) ?? ':8443',
    metricsCertDir: read('--metrics-cert-dir', flags.metricsCertDir, 'REGCRED_METRICS_CERT_DIR', absolutePath),
    healthProbeBindAddress:
      read(
        '--health-probe-bind-address',
        flags.healthProbeBindAddress,
        'REGCRED_HEALTH_PROBE_BIND_ADDRESS',
        bindAddress,
      ) ?? ':8081',
    logLevel: read('--log-level', flags.logLevel, 'REGCRED_LOG_LEVEL', logLevel) ?? 'info',
  }
  if (problems.length === 0 && collide(config.metricsBindAddress, config.healthProbeBindAddress)) {
    const both = `"${config.metricsBindAddress}" and "${config.healthProbeBindAddress}"`
    problems.push(`--metrics-bind-address and --health-probe-bind-address: ${both} share a port; change one of them`)
  }
  const metrics = parseBindAddress(config.metricsBindAddress)
  if (config.metricsCertDir !== undefined && typeof metrics === 'object' && !isExposed(metrics)) {
    const dir = `"${config.metricsCertDir}"`
    problems.push(
      `--metrics-cert-dir: ${dir} is not used at a loopback address, which is served without TLS; take it away, or let --metrics-bind-address be such as :8443`,
    )
  }
  if (problems.length > 0) throw new Exit(2, problems.join('\n'))
  return config
}

/** Which cluster: what was asked for by name, else the one around the pod, never somebody's current context by accident. */
function kubeconfigFiles(
  typed: string | undefined,
  env: Environment,
  readFile: ReadFile,
  problems: string[],
): string[] {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  const readable = (path: string) => tryRead(readFile, path) !== undefined
  if (typed !== undefined) {
    if (!readable(typed))
      problems.push(`--kubeconfig: "${typed}" is not a file that can be read; check its path and mode`)
    return [typed]
  }
  if (listed.length > 0) {
    const files = listed.filter(readable) // as kubectl, which skips those of the list that do not exist
    if (files.length === 0) {
      problems.push(
        `KUBECONFIG (--kubeconfig): "${env.KUBECONFIG}" names no file that can be read; check path and mode`,
      )
    }
    return files
  }
  if (!env.KUBERNETES_SERVICE_HOST) {
    problems.push(
      '--kubeconfig: not set, and this is no pod of a cluster; write --kubeconfig FILE or set KUBECONFIG to choose the cluster (the current context of ~/.kube/config is never used unasked)',
    )
  }
  return []
}

/** True when two servers cannot both listen: the same port on the same or on every interface. */
function collide(one: string, other: string): boolean {
  const [a, b] = [parseBindAddress(one), parseBindAddress(other)]
  if (typeof a !== 'object' || typeof b !== 'object' || a.port === 0 || a.port !== b.port) return false
  return a.host === b.host || a.host === undefined || b.host === undefined
}

function tryRead(readFile: ReadFile, path: string): string | undefined {
  try {
    return readFile(path)
  } catch {
    return undefined
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
