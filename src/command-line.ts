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
  trustedRegistries?: string
  metricsBindAddress?: string
  metricsCertDir?: string
  healthProbeBindAddress?: string
  logLevel?: string
}

/** A setting: what --help says of it, and docs/reference/flags.md. */
export interface Flag {
  /** As commander takes it. */
  flag: string
  env: string
  /** It may be given several times; its variable is a list with commas. */
  repeatable?: true
  byDefault: string
  meaning: string
}

export const FLAGS: readonly Flag[] = [
  {
    flag: '--kubeconfig <file>',
    env: 'KUBECONFIG',
    byDefault: 'the ServiceAccount of the pod; outside of a cluster it must be given',
    meaning: 'the cluster to work on, and as whom; ~/.kube/config is never used by itself',
  },
  {
    flag: '--namespace <name>',
    env: 'REGCRED_NAMESPACE',
    byDefault: 'POD_NAMESPACE, the namespace of the pod, or regcred-system',
    meaning: "the operator's own namespace, which holds the source Secrets and the lease",
  },
  {
    flag: '--secret-name <name>',
    env: 'REGCRED_SECRET_NAMES',
    repeatable: true,
    byDefault: 'regcred',
    meaning: 'a name that pull Secrets may have; the RBAC in config/ must allow the same names',
  },
  {
    flag: '--concurrency <number>',
    env: 'REGCRED_CONCURRENCY',
    byDefault: '32',
    meaning: 'how many namespaces are worked on at the same time; fewer while the API server answers 429',
  },
  {
    flag: '--leader-elect [true|false]',
    env: 'REGCRED_LEADER_ELECT',
    byDefault: 'true',
    meaning: 'work only while holding the lease, so that of several replicas one works',
  },
  {
    flag: '--ca-file <file>',
    env: 'REGCRED_CA_FILES',
    repeatable: true,
    byDefault: 'none',
    meaning:
      "a PEM file, named by its absolute path, with CAs that issuers and registries may be signed by, beside Node's own; read again when it changes",
  },
  {
    flag: '--insecure-host <host[:port]>',
    env: 'REGCRED_INSECURE_HOSTS',
    repeatable: true,
    byDefault: 'none',
    meaning: 'a registry or issuer that is spoken to without TLS; loopback always may',
  },
  {
    flag: '--files-dir <folder>',
    env: 'REGCRED_FILES_DIR',
    byDefault: 'no credential may use files',
    meaning: 'where the folders of source.files are mounted, an absolute path',
  },
  {
    flag: '--exec-plugin-dir <folder>',
    env: 'REGCRED_EXEC_PLUGIN_DIR',
    byDefault: 'no credential may run plugins',
    meaning: 'where the plugins of source.exec are, an absolute path',
  },
  {
    flag: '--exec-plugin-env <name>',
    env: 'REGCRED_EXEC_PLUGIN_ENV',
    repeatable: true,
    byDefault: 'none',
    meaning: 'an environment variable of the operator that plugins get, beside PATH',
  },
  {
    flag: '--trusted-registries <name>',
    env: 'REGCRED_TRUSTED_REGISTRIES',
    byDefault: 'no such list is kept',
    meaning:
      "a ConfigMap in the operator's own namespace: its key credentials is kept equal to the registries that credentials are for, which are trusted by that (config/policies/trusted-registries-from-credentials)",
  },
  {
    flag: '--metrics-bind-address <address>',
    env: 'REGCRED_METRICS_BIND_ADDRESS',
    byDefault: ':8443',
    meaning:
      'where /metrics is served for Prometheus: over HTTPS, to whoever has a bearer token with the right to get /metrics; at a loopback address, such as 127.0.0.1:8080, over HTTP to everybody on this machine. 0 disables it',
  },
  {
    flag: '--metrics-cert-dir <folder>',
    env: 'REGCRED_METRICS_CERT_DIR',
    byDefault: 'one that the operator signs itself and keeps in memory',
    meaning:
      'where the certificate for that is, an absolute path: tls.crt and tls.key, as cert-manager names them; read again when they change',
  },
  {
    flag: '--health-probe-bind-address <address>',
    env: 'REGCRED_HEALTH_PROBE_BIND_ADDRESS',
    byDefault: ':8081',
    meaning: 'where /healthz and /readyz are served; 0 disables them',
  },
  {
    flag: '--log-level <level>',
    env: 'REGCRED_LOG_LEVEL',
    byDefault: 'info',
    meaning: 'error, warn, info or debug (with stacks of errors)',
  },
]

function toOption({ flag, env, repeatable, byDefault, meaning }: Flag): Option {
  const repeated = repeatable ? '; repeat it for more' : ''
  const listed = repeatable ? ', separated by commas' : ''
  const option = new Option(flag, `${meaning}${repeated}. Default: ${byDefault} (env: ${env}${listed})`)
  return repeatable ? option.argParser(collect) : option
}

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
  for (const flag of FLAGS) program.addOption(toOption(flag))
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
