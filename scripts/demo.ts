/**
 * The main job as a short story on a real control plane: `npm run demo`. Installs config/ as users do, runs the operator
 * as its own ServiceAccount, and shows what kubectl really prints at every step. Stays up afterwards, except with --once
 * or where CI is set.
 */
import { dirname } from 'node:path'
import { startCluster } from '../test/cluster/cluster.ts'
import { installOperator } from '../test/cluster/install.ts'
import { startOperator } from '../test/cluster/operator.ts'
import { sayOn } from '../test/cluster/progress.ts'
import { provision } from '../test/cluster/provision.ts'
import { eventually } from '../test/cluster/wait.ts'
import { startDemoRegistry } from './demo-registry.ts'

const colours = process.stdout.isTTY === true && !process.env.NO_COLOR
const [bold, dim, plain] = colours ? ['\u001b[1m', '\u001b[2m', '\u001b[0m'] : ['', '', '']
const staysUp = !process.argv.includes('--once') && !process.env.CI
const start = performance.now()

const references = 'custom-columns=SERVICEACCOUNT:.metadata.name,PULL SECRETS:.imagePullSecrets[*].name'
const copies =
  'custom-columns=NAMESPACE:.metadata.namespace,SECRET:.metadata.name,UID:.metadata.uid,VERSION:.metadata.resourceVersion'
const copyList = ['get', 'secrets', '--all-namespaces', '--field-selector', 'metadata.name=regcred', '-o', copies]

const policies = ['-f', 'config/admission/serviceaccounts.yaml', '-f', 'config/admission/pods.yaml']
/** Asks what would become of a ServiceAccount without our entry: with the policies it comes back. */
const withoutReference = [
  ...['patch', 'serviceaccount', 'default', '--namespace', 'shop', '--type=merge', '-p', '{"imagePullSecrets":null}'],
  ...['--dry-run=server', '-o', 'jsonpath={.imagePullSecrets}'],
]

tell('A Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager, on this machine only.')
const { kubectl: kubectlPath } = await provision(sayOn(process.stderr))
const cluster = await startCluster()

tell('The operator is installed as users install it, and runs as its own ServiceAccount, with that RBAC and no more.')
console.log(`${dim}$ kubectl apply --server-side -k config/default${plain}`)
await installOperator(cluster)
const given = await namespaces()
let operator = await startOperator({ cluster, replica: true })
await refused('get', 'secrets', '--all-namespaces', '--as=system:serviceaccount:regcred-system:regcred-operator')

tell('A platform team applies one source Secret and one RegistryCredential (examples/01-docker-hub).')
await show('apply', '-f', 'examples/01-docker-hub/source.yaml', '-f', 'examples/01-docker-hub/credential.yaml')
await show('wait', '--for=condition=Ready', 'rcred/dockerhub', '--timeout=60s')
await show('get', 'rcred')

tell('The namespace shop has the Secret, and its ServiceAccount names it.')
await show(...copyList)
await show('get', 'serviceaccount', 'default', '--namespace', 'shop', '-o', references)

tell('A pod with a private image needs nothing of its own: its manifest has no imagePullSecrets.')
await show('apply', '-f', 'examples/01-docker-hub/private-pod.yaml', '-f', 'examples/01-docker-hub/public-pod.yaml')
await show('get', 'pod', 'private', '--namespace', 'shop', '-o', 'jsonpath={.spec.imagePullSecrets}')

tell('A namespace opts in by a label. Its owner never sees where the password comes from.')
await show('create', 'namespace', 'team-amber')
await show('label', 'namespace', 'team-amber', 'use.regcred.dev/dockerhub=true')
await until(/2\/2/, 'get', 'rcred', 'dockerhub')
await show('get', 'serviceaccount', 'default', '--namespace', 'team-amber', '-o', references)

tell('The team selects more namespaces. One that is created later is served as it comes.')
await show('patch', 'rcred', 'dockerhub', '--type=merge', '-p', '{"spec":{"namespaces":{"include":["shop","shop-*"]}}}')
await show('create', 'namespace', 'shop-eu')
await until(/3\/3/, 'get', 'rcred', 'dockerhub')
await show('get', 'rcred')

tell('The password is rotated in the source: every copy follows in place. Same UID, new VERSION.')
await show(...copyList)
const rotation =
  '{"stringData":{".dockerconfigjson":"{\\"auths\\":{\\"docker.io\\":{\\"username\\":\\"acme\\",\\"password\\":\\"new-example-password\\"}}}"}}'
const versions = await cluster.kubectl(...copyList)
await show('patch', 'secret', 'dockerhub', '--namespace', 'regcred-system', '-p', rotation)
await eventually(async () => {
  const before = new Set(versions.split(/\s+/))
  const now = (await cluster.kubectl(...copyList)).trim().split('\n').slice(1)
  return now.length === 3 && now.every((line) => !before.has(line.trim().split(/\s+/)[3] ?? ''))
})
await show(...copyList)

tell(
  'A login is shown to its registry before it is rolled out. This one, a registry on this machine, takes another password.',
)
const registry = await startDemoRegistry('acme:right-password')
const own = [
  'own-registry',
  '--namespace',
  'regcred-system',
  `--docker-server=${registry.host}`,
  '--docker-username=acme',
]
await show('create', 'secret', 'docker-registry', ...own, '--docker-password=mistyped')
await cluster.apply(
  JSON.stringify({
    apiVersion: 'regcred.dev/v1',
    kind: 'RegistryCredential',
    metadata: { name: 'own-registry' },
    spec: { source: { secretRef: { name: 'own-registry' } }, namespaces: { include: ['shop'] } },
  }),
)
await until(/VerificationFailed/, 'get', 'rcred', 'own-registry', '-o', 'wide')
await show('get', 'rcred', 'own-registry', '-o', 'wide')

tell(
  'The password is put right: the registry takes it, and the namespace gets it, in the same Secret as the other login.',
)
const right = { auths: { [registry.host]: { username: 'acme', password: 'right-password' } } }
const mended = JSON.stringify({ stringData: { '.dockerconfigjson': JSON.stringify(right) } })
await show('patch', 'secret', 'own-registry', '--namespace', 'regcred-system', '-p', mended)
await show('wait', '--for=condition=Ready', 'rcred/own-registry', '--timeout=60s')
await show('get', 'rcred', '-o', 'wide')
await show('delete', 'rcred', 'own-registry')
await registry.stop()

tell('A Secret of that name that the operator did not make is left alone, and reported. Everything else goes on.')
await show('create', 'namespace', 'legacy')
await show('create', 'secret', 'generic', 'regcred', '--namespace', 'legacy', '--from-literal=by=hand')
await show('label', 'namespace', 'legacy', 'use.regcred.dev/dockerhub=true')
await until(/NotOwned/, 'get', 'rcred', 'dockerhub', '-o', 'jsonpath={.status.failures}')
await show('get', 'rcred', 'dockerhub', '-o', 'wide')

tell(
  'With the admission policies, a pod that is created together with its namespace has the Secret from the first moment.',
)
await show('apply', '--server-side', ...policies)
await until(/regcred/, ...withoutReference)
await show('create', 'namespace', 'shop-us')
await show('wait', '--for=create', 'serviceaccount/default', '--namespace', 'shop-us')
await show('run', 'first', '--namespace', 'shop-us', '--image', 'docker.io/acme/shop:1.0')
await show('get', 'pod', 'first', '--namespace', 'shop-us', '-o', 'jsonpath={.spec.imagePullSecrets}')

tell('A sync that sets a list of its own keeps the reference, in the same request.')
await show(
  ...['patch', 'serviceaccount', 'default', '--namespace', 'shop-us', '--field-manager=argocd-controller'],
  ...['--type=merge', '-p', '{"imagePullSecrets":[{"name":"from-git"}]}'],
)
await show('get', 'serviceaccount', 'default', '--namespace', 'shop-us', '-o', references)

tell('The credential is deleted. Its Secrets and references are gone; what others made is still there.')
await show('delete', 'rcred', 'dockerhub')
await show(...copyList)
await show('get', 'serviceaccount', 'default', '--namespace', 'shop', '-o', references)

tell('The other examples, all at once: opting in, several registries in one Secret, chosen ServiceAccounts, GitOps.')
for (const example of ['02-opt-in', '03-several-registries', '04-service-accounts']) {
  await cluster.kubectl('apply', '-f', `examples/${example}/`)
}
await cluster.kubectl(
  'create',
  'secret',
  'docker-registry',
  'web-registry',
  '--namespace=regcred-system',
  '--docker-server=ghcr.io',
  '--docker-username=acme-bot',
  '--docker-password=example-password',
)
await cluster.kubectl('apply', '-k', 'examples/05-gitops')
await show('wait', '--for=condition=Ready', 'rcred', '--all', '--timeout=60s')
await show('get', 'rcred')

tell(`That was the main job, in ${Math.round((performance.now() - start) / 1000)} s.`)
if (staysUp) {
  await cleanUp()
  // The story's is kept from the internet, since the registries of the examples are real ones.
  await operator.stop()
  const { HTTPS_PROXY = '', NO_PROXY = '' } = process.env
  operator = await startOperator({ cluster, replica: true, env: { HTTPS_PROXY, NO_PROXY } })
  console.log(`The cluster and the operator stay up. All of the above is taken away again, so the examples can be tried by hand.
There is no node: pods stay Pending, those of the Deployment regcred-operator too. The operator is process ${operator.pid}:

  its log       ${operator.logFile}
  its probes    ${operator.healthUrl}/readyz?verbose
  its metrics   ${operator.metricsUrl}

In another terminal (the second line brings a kubectl, if you have none):

  export KUBECONFIG=${cluster.adminKubeconfig}
  export PATH="${dirname(kubectlPath)}:$PATH"
  kubectl get rcred
  kubectl explain rcred.spec.namespaces

To run one of your own (npm start), end that process first, since one works at a time: kill ${operator.pid}. The cluster stays.
After an uninstallation the operator's token is gone: run one by npm start -- --kubeconfig "$KUBECONFIG" then.
Ctrl-C ends both and leaves nothing behind.`)
  await untilTold()
}
await operator.stop()
await cluster.stop()

/** Leaves the cluster as a newcomer would find it after the installation. */
async function cleanUp(): Promise<void> {
  await cluster.kubectl('delete', ...policies)
  await cluster.kubectl('delete', 'rcred', '--all')
  await cluster.kubectl('delete', ...(await namespaces()).filter((name) => !given.includes(name)))
  const sources = '--field-selector=metadata.name!=regcred-operator-key,type!=regcred.dev/state'
  await cluster.kubectl('delete', 'secret', '--namespace=regcred-system', sources)
}

/** As `namespace/<name>`. */
async function namespaces(): Promise<string[]> {
  return (await cluster.kubectl('get', 'namespaces', '-o', 'name')).trim().split('\n')
}

/** Until Ctrl-C or SIGTERM. Neither a listener for signals nor the servers keep a Node process alive. */
async function untilTold(): Promise<void> {
  const alive = setInterval(() => {}, 60_000)
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve)
  })
  clearInterval(alive)
}

function tell(text: string): void {
  console.log(`\n${bold}${text}${plain}`)
}

/** Shows a kubectl command and what it prints. */
async function show(...args: string[]): Promise<void> {
  printCommand(args)
  console.log((await cluster.kubectl(...args)).trimEnd().replace(/^/gm, '  '))
}

/** Shows a command that must fail, and how. */
async function refused(...args: string[]): Promise<void> {
  const error = await cluster.kubectl(...args).then(
    () => undefined,
    (failure: Error) => failure.message,
  )
  if (error === undefined) throw new Error(`kubectl ${args.join(' ')} was not refused`)
  printCommand(args)
  console.log(error.slice(error.indexOf('Error from server')).replace(/^/gm, '  '))
}

function printCommand(args: readonly string[]): void {
  console.log(`${dim}$ kubectl ${args.map((arg) => (/[\s*{}$\\]/.test(arg) ? `'${arg}'` : arg)).join(' ')}${plain}`)
}

/** Waits until a kubectl command prints what is wanted: the operator is quick, but another process. */
async function until(wanted: RegExp, ...args: string[]): Promise<void> {
  const describe = `kubectl ${args.join(' ')} printing ${wanted}`
  await eventually(async () => wanted.test(await cluster.kubectl(...args)), { describe })
}
