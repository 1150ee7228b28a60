/** The way to the cluster with the user's own rights, by the flags that kubectl has for it. */
import type { KubeConfig } from '@kubernetes/client-node'
import { type Command, Option } from 'commander'
import { systemNamespace } from '../api/names.ts'
import { KubeClient } from '../kube/client.ts'
import { parseGoDuration } from '../model/go-duration.ts'
import { completedBy, namespaceNames } from './completion/candidates.ts'
import { loadKubeConfig } from './kubeconfig.ts'
import { objectName } from './object-name.ts'
import { type ExitCode, Problem } from './problem.ts'

/** Made when it is first used: what only prints needs no kubeconfig. */
export interface Connection {
  readonly client: KubeClient
  /** `--namespace`, else that of the current context, else default. */
  readonly namespace: string
  /** It is from the flag. */
  readonly isNamespaceGiven: boolean
  readonly operatorNamespace: string
}

interface ConnectionFlags {
  kubeconfig?: string
  context?: string
  cluster?: string
  user?: string
  namespace?: string
  operatorNamespace: string
  as?: string
  asGroup?: string[]
  requestTimeout: string
}

/** Field manager of all that is written here, and the name by which the API server's logs know us. */
export const cliManager = 'kubectl-regcred'

/** The longest that a timer of Node can run. */
const noTimeoutMs = 2 ** 31 - 1

export const connectionFlags: readonly Option[] = [
  new Option('--kubeconfig <file>', 'the kubeconfig file; else those of KUBECONFIG, else ~/.kube/config'),
  new Option('--context <name>', 'the context of the kubeconfig to use'),
  new Option('--cluster <name>', 'the cluster of the kubeconfig to use'),
  new Option('--user <name>', 'the user of the kubeconfig to use'),
  completedBy(
    new Option('-n, --namespace <name>', 'the namespace, where a command is about one').argParser(objectName),
    namespaceNames,
  ),
  completedBy(
    new Option('--operator-namespace <name>', 'where the operator and the source Secrets are')
      .default(systemNamespace)
      .argParser(objectName),
    namespaceNames,
  ),
  new Option('--as <user>', 'the user to act as; yours has to have the right to impersonate'),
  new Option('--as-group <group>', 'a group to act as a member of; repeat it for more').argParser(collect),
  new Option('--request-timeout <time>', 'how long an answer of the server may take, such as 5s; 0 for ever').default(
    '30s',
  ),
]

/** A value of a flag that may be repeated. */
export function collect(value: string, values: string[] | undefined): string[] {
  return [...(values ?? []), value]
}

/**
 * What an action does, with a connection that is closed after it.
 * @param run gives the exit code; it is 0 where it gives none
 */
export async function withConnection(
  command: Command,
  run: (connection: Connection) => Promise<ExitCode | undefined>,
): Promise<void> {
  const connection = new LazyConnection(command.optsWithGlobals<ConnectionFlags>(), versionOf(command))
  try {
    process.exitCode = (await run(connection)) ?? 0
  } finally {
    await connection.close()
  }
}

class LazyConnection implements Connection {
  readonly #flags: ConnectionFlags
  readonly #version: string
  #kubeConfig: KubeConfig | undefined
  #client: KubeClient | undefined

  constructor(flags: ConnectionFlags, version: string) {
    this.#flags = flags
    this.#version = version
  }

  get client(): KubeClient {
    this.#client ??= connect(this.#loaded(), this.#flags, this.#version)
    return this.#client
  }

  get namespace(): string {
    if (this.#flags.namespace !== undefined) return this.#flags.namespace
    const kubeConfig = this.#loaded()
    return kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace || 'default'
  }

  get isNamespaceGiven(): boolean {
    return this.#flags.namespace !== undefined
  }

  get operatorNamespace(): string {
    return this.#flags.operatorNamespace
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  #loaded(): KubeConfig {
    this.#kubeConfig ??= loadKubeConfig(this.#flags, process.env)
    return this.#kubeConfig
  }
}

function connect(kubeConfig: KubeConfig, flags: ConnectionFlags, version: string): KubeClient {
  const { as, asGroup = [], requestTimeout } = flags
  if (as === undefined && asGroup.length > 0) throw new Problem('--as-group needs --as: the user whose groups they are')
  return new KubeClient({
    kubeConfig,
    version,
    program: cliManager,
    timeoutMs: timeoutOf(requestTimeout),
    ...(as !== undefined && { impersonate: { user: as, groups: asGroup } }),
  })
}

function timeoutOf(text: string): number {
  const ms = parseTime(text)
  if (ms === undefined) throw new Problem(`--request-timeout: "${text}" is no time; write for example 5s, 2m or 0`)
  return ms === 0 ? noTimeoutMs : Math.min(ms, noTimeoutMs)
}

/** Milliseconds of 5s, 1h30m, or of a plain number of seconds, as kubectl takes it; undefined where it is none. */
export function parseTime(text: string): number | undefined {
  const ms = parseGoDuration(/^\d+$/.test(text) ? `${text}s` : text)
  return ms !== undefined && ms >= 0 ? ms : undefined
}

/** Of this plugin. */
export function versionOf(command: Command): string {
  let root = command
  while (root.parent !== null) root = root.parent
  return root.version() ?? ''
}
