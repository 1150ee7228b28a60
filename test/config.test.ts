import { describe, expect, test } from '@jest/globals'
import packageJson from '../package.json' with { type: 'json' }
import { Exit, FLAGS } from '../src/command-line.ts'
import { type Environment, parseConfig } from '../src/config.ts'

const noFile = (path: string): string => {
  throw new Error(`no ${path}`)
}
const anyFile = () => ''
const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }

/** The settings of an operator in a pod, of which nothing but the arguments and variables is known. */
function parse(argv: readonly string[], env: Environment = {}) {
  return parseConfig(argv, { ...inPod, ...env }, noFile)
}

/** How a wrong call ends. */
function exit(run: () => unknown): { code: number; message: string } {
  try {
    run()
  } catch (error) {
    if (error instanceof Exit) return { code: error.exitCode, message: error.message }
    throw error
  }
  throw new Error('it was accepted')
}

test('in a pod every setting has a default', () => {
  expect(parse([])).toEqual({
    kubeconfig: [],
    namespace: 'regcred-system',
    secretNames: ['regcred'],
    concurrency: 32,
    leaderElect: true,
    caFiles: [],
    insecureHosts: [],
    sources: { filesDir: undefined, execPluginDir: undefined, execPluginEnv: [] },
    trustedRegistries: undefined,
    metricsBindAddress: ':8443',
    metricsCertDir: undefined,
    healthProbeBindAddress: ':8081',
    logLevel: 'info',
  })
})

describe('every setting is a flag and a variable; the flag outranks the variable, the variable the default', () => {
  test.each([
    ['namespace', '--namespace=one', { REGCRED_NAMESPACE: 'two' }, 'one', 'two'],
    ['secretNames', '--secret-name=one', { REGCRED_SECRET_NAMES: 'two, three,' }, ['one'], ['two', 'three']],
    ['concurrency', '--concurrency=1', { REGCRED_CONCURRENCY: '1000' }, 1, 1000],
    ['leaderElect', '--leader-elect', { REGCRED_LEADER_ELECT: 'false' }, true, false],
    ['trustedRegistries', '--trusted-registries=one', { REGCRED_TRUSTED_REGISTRIES: 'two' }, 'one', 'two'],
    ['metricsBindAddress', '--metrics-bind-address=0', { REGCRED_METRICS_BIND_ADDRESS: '[::1]:9' }, '0', '[::1]:9'],
    ['metricsCertDir', '--metrics-cert-dir=/one', { REGCRED_METRICS_CERT_DIR: '/two' }, '/one', '/two'],
    ['healthProbeBindAddress', '--health-probe-bind-address=:1', { REGCRED_HEALTH_PROBE_BIND_ADDRESS: '0' }, ':1', '0'],
    ['logLevel', '--log-level=debug', { REGCRED_LOG_LEVEL: 'error' }, 'debug', 'error'],
  ] as const)('%s', (setting, flag, env, flagged, listed) => {
    expect(parse([flag])[setting]).toEqual(flagged)
    expect(parse([], env)[setting]).toEqual(listed)
    expect(parse([flag], env)[setting]).toEqual(flagged)
    const empty = Object.fromEntries(Object.keys(env).map((name) => [name, '']))
    expect(parse([], empty)[setting]).toEqual(parse([])[setting])
  })
})

describe('flags', () => {
  test.each([
    [['--leader-elect=false'], false],
    [['--leader-elect', 'false'], false],
    [['--leader-elect=true'], true],
    [['--leader-elect', '--log-level', 'warn'], true],
  ])('%j sets leader election', (argv, leaderElect) => {
    expect(parse(argv).leaderElect).toBe(leaderElect)
  })

  test('--secret-name can be repeated; duplicates are dropped', () => {
    const argv = ['--secret-name', 'a', '--secret-name=b.c', '--secret-name', 'a']
    expect(parse(argv).secretNames).toEqual(['a', 'b.c'])
  })

  test('what sources may use of the machine is off until it is named, each piece by a flag of its own', () => {
    const argv = ['--ca-file=/a.pem', '--ca-file=/b.pem', '--insecure-host=registry.test:5000', '--files-dir=/files']
    const { caFiles, insecureHosts, sources } = parse([
      ...argv,
      '--exec-plugin-dir=/plugins',
      '--exec-plugin-env=AWS_REGION',
    ])
    expect(caFiles).toEqual(['/a.pem', '/b.pem'])
    expect(insecureHosts).toEqual(['registry.test:5000'])
    expect(sources).toEqual({ filesDir: '/files', execPluginDir: '/plugins', execPluginEnv: ['AWS_REGION'] })
  })

  test('of any other flag the last one counts', () => {
    expect(parse(['--log-level=debug', '--log-level=warn']).logLevel).toBe('warn')
  })
})

describe("the operator's namespace", () => {
  const file = (path: string) => {
    expect(path).toBe('/var/run/secrets/kubernetes.io/serviceaccount/namespace')
    return 'from-file\n'
  }

  test('is the one of the pod, by POD_NAMESPACE before the file', () => {
    expect(parseConfig([], { ...inPod, POD_NAMESPACE: 'from-pod' }, file).namespace).toBe('from-pod')
    expect(parseConfig([], inPod, file).namespace).toBe('from-file')
  })

  test('is what was asked for in any case', () => {
    const env = { ...inPod, POD_NAMESPACE: 'from-pod', REGCRED_NAMESPACE: 'asked-for' }
    expect(parseConfig([], env, file).namespace).toBe('asked-for')
  })

  test('outside of a cluster is not read from a file that happens to be there', () => {
    const read = (path: string) => (path === 'k' ? '' : file(path))
    expect(parseConfig(['--kubeconfig=k'], {}, read).namespace).toBe('regcred-system')
  })
})

describe('the cluster', () => {
  test('must be named outside of one: the current context is never used by accident', () => {
    const { code, message } = exit(() => parseConfig([], { HOME: '/home/me' }, anyFile))
    expect(code).toBe(2)
    expect(message).toMatch(/^--kubeconfig: not set.*write --kubeconfig FILE or set KUBECONFIG/)
  })

  test('is named by --kubeconfig, which outranks KUBECONFIG', () => {
    expect(parseConfig(['--kubeconfig', 'a'], { KUBECONFIG: 'b' }, anyFile).kubeconfig).toEqual(['a'])
  })

  test('is named by KUBECONFIG, even in a pod', () => {
    expect(parseConfig([], { ...inPod, KUBECONFIG: 'b' }, anyFile).kubeconfig).toEqual(['b'])
  })

  test('KUBECONFIG may list several files, of which some may be missing', () => {
    const read = (path: string) => (path === 'missing' ? noFile(path) : '')
    expect(parseConfig([], { KUBECONFIG: ':a:missing:b' }, read).kubeconfig).toEqual(['a', 'b'])
  })

  test.each([
    [['--kubeconfig=missing'], {}, '--kubeconfig: "missing" is not a file that can be read; check its path and mode'],
    [['--kubeconfig='], {}, '--kubeconfig: "" is not a file that can be read; check its path and mode'],
    [[], { KUBECONFIG: 'x:y' }, 'KUBECONFIG (--kubeconfig): "x:y" names no file that can be read; check path and mode'],
  ])('a file that cannot be read is an error: %j %j', (argv, env, message) => {
    expect(exit(() => parseConfig(argv, env, noFile))).toEqual({ code: 2, message })
  })

  test('a directory is no kubeconfig', () => {
    const { message } = exit(() => parseConfig(['--kubeconfig', import.meta.dirname], {}))
    expect(message).toContain('is not a file that can be read')
  })
})

describe('a mistake names the setting, the wrong value and the cure', () => {
  test.each<[string[], Environment, string]>([
    [['--namespace=Team'], {}, '--namespace: "Team" is not the name of a namespace: up to 63 of a-z'],
    [['--namespace=a.b'], {}, '--namespace: "a.b" is not the name of a namespace'],
    [['--ca-file=ca.pem'], {}, '--ca-file: "ca.pem" is not an absolute path, which begins with /'],
    [[], { REGCRED_INSECURE_HOSTS: 'http://a' }, '"http://a" is not a host in lower case'],
    [['--exec-plugin-env=A=b'], {}, '--exec-plugin-env: "A=b" is not the name of an environment variable'],
    [['--namespace='], {}, '--namespace: "" is not the name of a namespace'],
    [[`--namespace=${'a'.repeat(64)}`], {}, 'is not the name of a namespace'],
    [[], { POD_NAMESPACE: '-x' }, 'POD_NAMESPACE (--namespace): "-x" is not the name of a namespace'],
    [['--secret-name=a,b'], {}, '--secret-name: "a,b" is not the name of a Secret: up to 253 of a-z'],
    [['--secret-name=a..b'], {}, 'repeat the flag for each name'],
    [[`--secret-name=${'a'.repeat(254)}`], {}, 'is not the name of a Secret'],
    [[], { REGCRED_SECRET_NAMES: 'ok,_x' }, 'REGCRED_SECRET_NAMES (--secret-name): "_x" is not the name of a Secret'],
    [['--trusted-registries=A'], {}, '--trusted-registries: "A" is not the name of a ConfigMap: up to 253 of a-z'],
    [['--concurrency=0'], {}, '--concurrency: "0" is not a whole number from 1 to 1000'],
    [['--concurrency=1001'], {}, '"1001" is not a whole number'],
    [['--concurrency=1e2'], {}, '"1e2" is not a whole number'],
    [[], { REGCRED_CONCURRENCY: 'many' }, 'REGCRED_CONCURRENCY (--concurrency): "many" is not a whole number'],
    [['--leader-elect=yes'], {}, '--leader-elect: "yes" is neither true nor false'],
    [['--leader-elect='], {}, '--leader-elect: "" is neither true nor false'],
    [['--metrics-bind-address=8080'], {}, '--metrics-bind-address: "8080" is not an address to listen on; write :8080'],
    [['--health-probe-bind-address=:x'], {}, '--health-probe-bind-address: ":x" is not an address'],
    [['--health-probe-bind-address=:8443'], {}, '":8443" and ":8443" share a port; change one of them'],
    [['--health-probe-bind-address=127.0.0.1:8443'], {}, '":8443" and "127.0.0.1:8443" share a port'],
    [['--metrics-cert-dir=certs'], {}, '--metrics-cert-dir: "certs" is not an absolute path'],
    [
      ['--metrics-cert-dir=/certs', '--metrics-bind-address=127.0.0.1:8080'],
      {},
      '--metrics-cert-dir: "/certs" is not used at a loopback address, which is served without TLS; take it away, or',
    ],
    [['--log-level=trace'], {}, '--log-level: "trace" is not one of error, warn, info, debug'],
    [['--log-levl=info'], {}, "unknown option '--log-levl=info'"],
    [['--log-levl', 'info'], {}, "unknown option '--log-levl' (Did you mean --log-level?); --help lists the flags"],
    [['--log-level'], {}, "option '--log-level <level>' argument missing; --help lists the flags"],
    [['start'], {}, '"start" is not understood: every setting is a flag that begins with --'],
    [['--', 'start'], {}, '"start" is not understood'],
  ])('%j %j', (argv, env, message) => {
    const result = exit(() => parse(argv, env))
    expect(result.code).toBe(2)
    expect(result.message).toContain(message)
    expect(result.message).not.toContain('\n')
  })

  test('all mistakes are named at once, one on each line', () => {
    const { message } = exit(() => parse(['--concurrency=x', '--log-level=y', '--secret-name=Z', '--secret-name=_']))
    expect(message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      '--secret-name:',
      '--secret-name:',
      '--concurrency:',
      '--log-level:',
    ])
  })
})

test('a folder of certificates does no harm where no metrics are served', () => {
  const argv = ['--metrics-cert-dir=/certs', '--metrics-bind-address=0']
  expect(parse(argv)).toMatchObject({ metricsCertDir: '/certs', metricsBindAddress: '0' })
})

test('both servers may be off, or on one port of different interfaces', () => {
  const flags = (metrics: string, health: string) => [
    `--metrics-bind-address=${metrics}`,
    `--health-probe-bind-address=${health}`,
  ]
  expect(parse(flags('0', '0'))).toMatchObject({ metricsBindAddress: '0', healthProbeBindAddress: '0' })
  expect(parse(flags(':0', ':0'))).toMatchObject({ metricsBindAddress: ':0', healthProbeBindAddress: ':0' })
  expect(parse(flags('127.0.0.1:9', '[::1]:9'))).toMatchObject({ metricsBindAddress: '127.0.0.1:9' })
})

describe('help', () => {
  const help = () => exit(() => parseConfig(['--help'], {}, noFile))

  test('comes without an error, even where no cluster is', () => {
    expect(help().code).toBe(0)
  })

  test('explains every flag, its variable and its default', () => {
    const text = help().message.replace(/\s+/g, ' ')
    const flags = [...text.matchAll(/ --([a-z-]+) [<[]/g)].map(([, flag]) => flag)
    expect(flags).toHaveLength(15)
    expect(text.match(/env: (REGCRED_|KUBECONFIG)/g)).toHaveLength(flags.length)
    expect(text.match(/Default: /g)).toHaveLength(flags.length)
  })

  test.each(FLAGS)(
    '$env is the variable of $flag, and a list where that may be repeated',
    ({ flag, env, repeatable }) => {
      const name = flag.split(' ')[0]
      const { message } = exit(() => parse([], { [env]: 'no such,!' }))
      expect(message).toContain(`${env} (${name}): `)
      expect(message.split('\n')).toHaveLength(repeatable ? 2 : 1)
    },
  )

  test('--version prints the version of package.json', () => {
    expect(exit(() => parseConfig(['--version'], {}, noFile))).toEqual({ code: 0, message: packageJson.version })
  })
})
