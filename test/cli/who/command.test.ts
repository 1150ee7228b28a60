/** `kubectl regcred who` in a cluster with a running operator, by users of different rights. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab } from '../../controller/lab.ts'
import { deploy, makePod } from '../../controller/pods-lab.ts'
import { cellsOf, regcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

let lab: Lab
let operator: RunningOperator
let credential: string
let namespace: string

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
  namespace = await lab.namespace('who')
  const source = await lab.source('who', { 'ghcr.io': { username: 'robot', password: 'p4ssw0rd-of-who' } })
  const namespaces = { include: [namespace], optIn: true }
  credential = await lab.credential('who', { source: { secretRef: { name: source } }, namespaces })
  await lab.ready(credential)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
  await deploy(lab, namespace)
  await makePod(lab, namespace, 'bare')
  await makePod(lab, namespace, 'own', { pullSecrets: ['mine'] })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const who = (args: string[], kubeconfig = lab.cluster.adminKubeconfig) => regcred(['who', ...args], { kubeconfig })

test('a table, with pods and workloads when it is wide', async () => {
  const { code, stdout, stderr } = await who(['-n', namespace, '-o', 'wide'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(cellsOf(stdout)).toEqual([
    ['CREDENTIAL', 'NAMESPACE', 'SERVICEACCOUNT', 'SECRET', 'STATE', 'PODS', 'WORKLOADS'],
    [credential, namespace, 'default', 'regcred', 'Linked', '2', '2'],
  ])
})

test('CSV, of one credential in all namespaces', async () => {
  const { stdout } = await who(['--credential', credential, '-o', 'csv'])
  expect(stdout).toBe(
    `credential,namespace,serviceAccount,secret,state,pods,workloads\r\n${credential},${namespace},default,regcred,Linked,2,2\r\n`,
  )
})

test('a credential that is not there, and a namespace that is not', async () => {
  expect(await who(['--credential', 'gone'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('"gone" not found'),
  })
  expect(await who(['-n', 'gone'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'error: namespaces "gone" not found\n',
  })
})

test('who may list neither Secrets nor pods is told what that means', async () => {
  const others = { apiGroups: [''], resources: ['namespaces', 'serviceaccounts'], verbs: ['list'] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('list'), others] })
  const { code, stdout, stderr } = await who(['--credential', credential, '-o', 'wide'], kubeconfig)
  expect(code).toBe(0)
  expect(stderr.split('\n')).toHaveLength(3)
  expect(stdout).toMatch(/regcred +Linked +<unknown> +<unknown>\n$/)
})
