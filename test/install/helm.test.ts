/** The life of a release on a real API server: the RBAC that the chart installs is enough, before and after an upgrade. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { startOperator } from '../cluster/operator.ts'
import { policyKinds } from '../cluster/served.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { chart, helmOn } from './installers.ts'

const login = { 'ghcr.io': { username: 'robot', password: 'login-of-helm' } }

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
})

afterAll(async () => {
  await cluster.stop()
})

/** The operator of that namespace serves a credential there by a Secret of this name, and is refused nothing. */
async function serves(operatorNamespace: string, secretName: string, ...args: string[]): Promise<void> {
  const start = new Date()
  const lab = new Lab(cluster)
  const kubeconfig = await cluster.kubeconfigFor({ namespace: operatorNamespace, serviceAccount: 'regcred-operator' })
  const flags = [`--namespace=${operatorNamespace}`, ...args]
  const operator = await startOperator({ cluster, kubeconfig, replica: true, args: flags })
  try {
    const namespace = await lab.namespace('served')
    const source = await sourceIn(operatorNamespace)
    const credential = await lab.credential('served', {
      secretName,
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace], optIn: true },
    })
    await lab.ready(credential)
    expect(await lab.logins(namespace, secretName)).toEqual(login)
    await eventually(async () => expect(await lab.references(namespace)).toEqual([secretName]))
    await lab.deleteCredential(credential)
    await eventually(async () => expect(await lab.references(namespace)).toEqual([]))
    expect(await operator.stop()).toBe(0)
  } finally {
    await operator.kill()
    await lab.close()
  }
  const user = `system:serviceaccount:${operatorNamespace}:regcred-operator`
  const refused = (await cluster.auditLog(start)).filter((entry) => entry.user === user && entry.code === 403)
  expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
}

async function sourceIn(namespace: string): Promise<string> {
  const text = JSON.stringify({ auths: login })
  await cluster.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login', namespace },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': text },
    }),
  )
  return 'login'
}

const may = async (verb: string, object: string, ...flags: string[]) => {
  const who = '--as=system:serviceaccount:regcred-system:regcred-operator'
  return (await cluster.kubectl('auth', 'can-i', verb, object, who, ...flags).catch(() => 'no')).trim()
}

test('a release installs all that the operator needs, an upgrade what else it is to do, and a second one changes nothing', async () => {
  const release = ['regcred-operator', chart, '--namespace', 'regcred-system']
  await helmOn(cluster, 'install', ...release, '--create-namespace', '--set', 'replicaCount=0')
  await serves('regcred-system', 'regcred')
  expect(await may('create', 'pods', '--subresource=eviction', '-n', 'default')).toBe('no')
  const values = [
    '--set',
    'replicaCount=0,secretNames={regcred,regcred-ci},evictPods.enabled=true,identities={ecr-puller}',
  ]
  await helmOn(cluster, 'upgrade', ...release, ...values)
  await serves('regcred-system', 'regcred-ci', '--secret-name=regcred', '--secret-name=regcred-ci')
  expect(await may('create', 'pods', '--subresource=eviction', '-n', 'default')).toBe('yes')
  expect(await may('create', 'serviceaccounts/ecr-puller', '--subresource=token', '-n', 'regcred-system')).toBe('yes')
  expect(await may('create', 'serviceaccounts/other', '--subresource=token', '-n', 'regcred-system')).toBe('no')
  const versions = () =>
    cluster.kubectl('get', `deploy,crd,${policyKinds}`, '-A', '-o', 'jsonpath={.items[*].metadata.generation}')
  const before = await versions()
  await helmOn(cluster, 'upgrade', ...release, ...values)
  expect(await versions()).toBe(before)
  await helmOn(cluster, 'uninstall', 'regcred-operator', '--namespace', 'regcred-system')
})

test('a release of another name in another namespace works as well', async () => {
  const release = ['logins', chart, '--namespace', 'elsewhere', '--create-namespace']
  // The CRD of the release before was kept, and belongs to it.
  await helmOn(cluster, 'install', ...release, '--take-ownership', '--set', 'replicaCount=0,crds.keep=false')
  await serves('elsewhere', 'regcred')
  await helmOn(cluster, 'uninstall', 'logins', '--namespace', 'elsewhere')
  const crds = async () => expect(await cluster.kubectl('get', 'crd', '-o', 'name')).not.toContain('regcred.dev')
  await eventually(crds, { describe: 'the CRD, which this release does not keep' })
})
