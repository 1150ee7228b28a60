/**
 * What was typed: the operator's flags as raw text, and its help. What the texts mean is config.ts' business.
 */
import { Command, CommanderError, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }

/** Ends the program before it has begun: with help or the version (exit code 0), or because of wrong usage (2). */
export class Exit extends Error {
  override name = 'Exit'
  /** 0: the message belongs on standard output; 2: on standard error. */
  readonly exitCode: 0 | 2

  constructor(exitCode: 0 | 2, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Flags that were given, unchecked. */
export interface CommandLine {
  kubeconfig?: string
  namespace?: string
  secretName?: string[]
  concurrency?: string
  /** True: the flag without a value. */
  leaderElect?: string | true
  caFile?: string[]
  insecureHost?: string[]
  filesDir?: string
  execPluginDir?: string
  execPluginEnv?: string[]
  metricsBindAddress?: string
  metricsCertDir?: string
  healthProbeBindAddress?: string
  logLevel?: string
}

const FLAGS: readonly Option[] = [
  new Option(
    '--kubeconfig <file>',
    'the cluster to work on, and as whom; needed outside of a cluster, where ~/.kube/config is never used by itself. Inside, the ServiceAccount of the pod is the default (env: KUBECONFIG)',
  ),
  new Option(
    '--namespace <name>',
    "the operator's own namespace, which holds the source Secrets and the lease. Default: POD_NAMESPACE, the namespace of the pod, or regcred-system (env: REGCRED_NAMESPACE)",
  ),
  new Option(
    '--secret-name <name>',
    'a name that pull Secrets may have; repeat it for more. The RBAC in config/ must allow the same names. Default: regcred (env: REGCRED_SECRET_NAMES, separated by commas)',
  ).argParser(collect),
  new Option(
    '--concurrency <number>',
    'how many namespaces are worked on at the same time. Default: 32 (env: REGCRED_CONCURRENCY)',
  ),
  new Option(
    '--leader-elect [true|false]',
    'work only while holding the lease, so that of several replicas one works. Default: true (env: REGCRED_LEADER_ELECT)',
  ),
  new Option(
    '--ca-file <file>',
    "a PEM file with CAs that issuers and registries may be signed by, beside Node's own; read again when it changes; repeat it for more. Default: none (env: REGCRED_CA_FILES, separated by commas)",
  ).argParser(collect),
  new Option(
    '--insecure-host <host[:port]>',
    'a registry or issuer that is spoken to without TLS; loopback always may; repeat it for more. Default: none (env: REGCRED_INSECURE_HOSTS, separated by commas)',
  ).argParser(collect),
  new Option(
    '--files-dir <folder>',
    'where the folders of source.files are mounted. Default: no credential may use files (env: REGCRED_FILES_DIR)',
  ),
  new Option(
    '--exec-plugin-dir <folder>',
    'where the plugins of source.exec are. Default: no credential may run plugins (env: REGCRED_EXEC_PLUGIN_DIR)',
  ),
  new Option(
    '--exec-plugin-env <name>',
    'an environment variable of the operator that plugins get, beside PATH; repeat it for more. Default: none (env: REGCRED_EXEC_PLUGIN_ENV, separated by commas)',
  ).argParser(collect),
  new Option(
    '--metrics-bind-address <address>',
    'where /metrics is served for Prometheus: over HTTPS, to whoever has a bearer token with the right to get /metrics; at a loopback address, such as 127.0.0.1:8080, over HTTP to everybody on this machine. 0 disables it. Default: :8443 (env: REGCRED_METRICS_BIND_ADDRESS)',
  ),
  new Option(
    '--metrics-cert-dir <folder>',
    'where the certificate for that is: tls.crt and tls.key, as cert-manager names them; read again when they change. Default: one that the operator signs itself and keeps in memory (env: REGCRED_METRICS_CERT_DIR)',
  ),
  new Option(
    '--health-probe-bind-address <address>',
    'where /healthz and /readyz are served; 0 disables them. Default: :8081 (env: REGCRED_HEALTH_PROBE_BIND_ADDRESS)',
  ),
  new Option(
    '--log-level <level>',
    'error, warn, info or debug (with stacks of errors). Default: info (env: REGCRED_LOG_LEVEL)',
  ),
]

function collect(value: string, values: string[] | undefined): string[] {
  return [...(values ?? []), value]
}

const EXPLANATION = `
A flag outranks its environment variable, which outranks the default.

Examples:
  regcred-operator                                      in a pod, as its ServiceAccount
  regcred-operator --kubeconfig ./admin.kubeconfig      from anywhere, against that cluster
  regcred-operator --secret-name regcred --secret-name acme-pull --leader-elect=false

Exit codes: 0 after a clean stop, 1 after a failure, 2 when a setting is wrong.`

/** Reads the arguments after the program's name. @throws Exit for --help, --version, and what is no flag */
export function readCommandLine(argv: readonly string[]): CommandLine {
  let output = ''
  const program = new Command('regcred-operator')
    .description(packageJson.description)
    .usage('[flags]')
    .version(packageJson.version, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this and exit')
    .addHelpText('after', EXPLANATION)
    .allowExcessArguments()
    .exitOverride()
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      writeOut: (text) => {
        output += text
      },
      writeErr: () => {}, // the error that is thrown says the same
    })
  for (const flag of FLAGS) program.addOption(flag)
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) throw new Exit(0, output.trimEnd())
    throw new Exit(2, `${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; --help lists the flags`)
  }
  const [stray] = program.args
  if (stray !== undefined) {
    throw new Exit(2, `"${stray}" is not understood: every setting is a flag that begins with --; --help lists them`)
  }
  return program.opts<CommandLine>()
}
