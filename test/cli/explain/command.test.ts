/** `kubectl regcred explain` in a cluster with a running operator, by users of different rights. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab, serviceAccountPath } from '../../controller/lab.ts'
import { image, makePod, missing, wait } from '../../controller/pods-lab.ts'
import { leaksIn, newCanary } from '../../support/canary.ts'
import { type Outcome, regcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

let lab: Lab
let operator: RunningOperator
let credential: string
let namespace: string

const password = newCanary()
const printed: string[] = []

beforeAll(async () => {
  lab = new Lab()
  namespace = await lab.namespace('explain')
  const source = await lab.source('explain', { 'ghcr.io/acme': { username: 'robot', password } })
  const old = await makePod(lab, namespace, 'old')
  await wait(lab, old, missing)
  operator = await startOperator()
  credential = await lab.credential('explain', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
    serviceAccounts: ['default', 'builder'],
  })
  await lab.ready(credential)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

async function explain(args: string[], kubeconfig = lab.cluster.adminKubeconfig): Promise<Outcome> {
  const ran = await regcred(['explain', ...args, '-n', namespace], { kubeconfig })
  printed.push(ran.stdout, ran.stderr)
  return ran
}

test('a pod that is older than the reference on its ServiceAccount', async () => {
  const { code, stdout } = await explain(['pod/old'])
  expect(stdout).toBe(`\
pod/old in namespace ${namespace}, ServiceAccount default
imagePullSecrets that count: <none>

Container app: ${image}: will not be pulled
  The registry wants a login for it.
  The pod was made before ServiceAccount default named Secret regcred, and keeps the list that it was made with.
  What to do:
    kubectl delete pod/old -n ${namespace}, and make it anew

Container side: ${image}: will not be pulled
  The kubelet has no login for it, and asks the registry without one.
  The pod was made before ServiceAccount default named Secret regcred, and keeps the list that it was made with.
  What to do:
    kubectl delete pod/old -n ${namespace}, and make it anew
`)
  expect(code).toBe(1)
})

test('a new pod of a Deployment, and an image', async () => {
  const labels = { app: 'web' }
  await lab.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
    },
  })
  for (const what of [['deployment/web'], ['image', image]]) {
    const { code, stdout } = await explain(what)
    expect(stdout).toContain(`${image}: will be pulled, as far as can be told`)
    expect(stdout).toContain(`    ghcr.io/acme/   regcred   ${credential}   not checked\n`)
    expect(code).toBe(0)
  }
})

test('the owner of a namespace, who may read nothing else, is told what that tells, and what it does not', async () => {
  const user = lab.unique('owner')
  await lab.cluster.kubectl('create', 'rolebinding', user, '--clusterrole=admin', `--user=${user}`, '-n', namespace)
  const { code, stdout } = await explain(['deployment/web'], await lab.cluster.kubeconfigFor({ user }))
  expect(stdout).toContain(`    ghcr.io/acme/   regcred   ${credential}   cannot be told\n`)
  expect(stdout).toContain('Note: You may not list RegistryCredentials')
  expect(code).toBe(0)
})

test('who may not read Secrets is told by the status of the credentials', async () => {
  const resources = ['pods', 'namespaces', 'serviceaccounts', 'deployments']
  const others = { apiGroups: ['', 'apps'], resources, verbs: ['get'] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('list'), others] })
  const { code, stdout } = await explain(['deployment/web'], kubeconfig)
  expect(stdout).toContain(`    ghcr.io/acme/   regcred   ${credential}   not checked (by the status)\n`)
  expect(stdout).toContain('Note: You may not read Secret regcred')
  expect(code).toBe(0)
})

test.each([
  ['a kind that has no pods', ['service/web'], /^error: "service\/web" is not of the form KIND\/NAME/],
  ['a pod that is not there', ['pod/gone'], /^Error from server \(NotFound\): pods "gone" not found/],
  ['no image', ['image'], /^error: name the image/],
])('%s', async (_, args, message) => {
  const { code, stdout, stderr } = await explain(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
})

test('who took the reference off is told', async () => {
  // Of a ServiceAccount that nobody has ever applied, or made with fields of its own, the API server remembers no writers.
  await lab.create(serviceAccountPath(namespace, '').replace(/\/$/, ''), {
    metadata: { name: 'builder', labels: { app: 'builder' } },
  })
  await eventually(async () => expect(await lab.references(namespace, 'builder')).toEqual(['regcred']))
  await operator.stop()
  const list = { imagePullSecrets: [{ name: 'mine' }] }
  await lab.client.mergePatch(serviceAccountPath(namespace, 'builder'), list, { fieldManager: 'argocd-controller' })
  const { code, stdout } = await explain(['image', image, '--service-account', 'builder'])
  expect(code).toBe(1)
  expect(stdout).toContain('the operator had added it, and it was taken off by field manager argocd-controller')
})

test('no password was printed', () => {
  expect(printed.length).toBeGreaterThan(10)
  expect(leaksIn({ output: printed.join('\n') }, { password })).toEqual([])
})
