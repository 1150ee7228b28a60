/**
 * Two operators by mistake: two of one installation that do not take turns, and two installations that write the same
 * Secrets and cannot know each other's marks. Nothing of others is lost, and the writes are bounded.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, operatorNamespace } from '../controller/lab.ts'
import { describe, isWrite, requestsSince } from '../controller/traffic.ts'
import { scaled } from '../support/scale.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'
import { convergeMs, phases, World } from './world.ts'

const otherNamespace = 'other-system'

let cluster: OwnedCluster
let operators: RunningOperator[]

beforeEach(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  operators = []
})

afterEach(async () => {
  await Promise.all(operators.map((operator) => operator.kill()))
  await cluster.stop()
})

/** It asks nobody whether it may. */
const atOnce = { replica: true, args: ['--leader-elect=false'] }

test(
  'two of one installation that start together and take no turns agree, and write nothing when all is done',
  async () => {
    operators = await Promise.all([1, 2].map(() => startOperator({ cluster, ...atOnce })))
    const world = await World.make(cluster, 'twice', 12)
    try {
      for (const phase of phases) {
        await world.begin(phase)
        await world.ended(convergeMs)
        // What is kept of the logins may be written after all else.
        await eventually(async () => {
          const since = new Date()
          await sleep(5_000)
          const writes = (await requestsSince(cluster, since)).filter(isWrite)
          expect(writes.filter(({ resource }) => resource !== 'events').map(describe)).toEqual([])
        })
      }
    } finally {
      await world.lab.close()
    }
  },
  FAULT_TIMEOUT_MS,
)

test(
  'two installations for the same namespaces tell that they are at odds, and write ever more rarely',
  async () => {
    const lab = new Lab(cluster)
    try {
      await installAgain()
      operators = [await startOperator({ cluster })]
      const namespaces = await Promise.all([1, 2, 3].map((index) => lab.namespace(`odds-${index}`)))
      const login = (password: string) => ({ 'ghcr.io': { username: 'robot', password } })
      const source = await lab.source('odds', login('password-of-the-first'))
      const credential = await lab.credential('odds', {
        source: { secretRef: { name: source } },
        namespaces: { include: [lab.unique('odds-*')], optIn: true },
      })
      await lab.ready(credential)
      await sourceIn(lab, otherNamespace, source, login('password-of-the-second'))

      const since = new Date()
      const kubeconfig = await cluster.kubeconfigFor({ namespace: otherNamespace, serviceAccount: 'regcred-operator' })
      const args = [...atOnce.args, `--namespace=${otherNamespace}`]
      const second = await startOperator({ cluster, kubeconfig, ...atOnce, args })
      operators.push(second)
      await lab.condition(credential, 'Contended', 'True', { timeoutMs: convergeMs })
      await sleep(scaled({ quick: 25_000, long: 120_000 }))
      const writes = (await cluster.auditLog(since)).filter(
        (each) => each.user.endsWith(':regcred-operator') && isWrite(each) && each.code < 300,
      )
      const counts = [...Map.groupBy(writes, ({ resource, namespace, name }) => `${resource} ${namespace}/${name}`)]
      const most = (resource: string) =>
        Math.max(0, ...counts.filter(([key]) => key.startsWith(resource)).map(([, each]) => each.length))
      process.stderr.write(
        `| two installations at odds | at most ${most('secrets odds')} writes of a Secret, ${most('registrycredentials')} of a status |\n`,
      )
      expect(most('secrets odds')).toBeLessThanOrEqual(2 * 13)
      expect(most('serviceaccounts')).toBeLessThanOrEqual(1)
      expect(most('registrycredentials')).toBeLessThanOrEqual(2 * 25)

      expect(await second.stop()).toBe(0)
      for (const namespace of namespaces) {
        const logins = async () => expect(await lab.logins(namespace)).toEqual(login('password-of-the-first'))
        await eventually(logins, { timeoutMs: convergeMs })
        expect(await lab.references(namespace)).toEqual(['regcred'])
      }
    } finally {
      await lab.close()
    }
  },
  FAULT_TIMEOUT_MS,
)

/** A source of the same name as another one. */
async function sourceIn(lab: Lab, namespace: string, name: string, auths: Record<string, Login>): Promise<void> {
  const stringData = { '.dockerconfigjson': JSON.stringify({ auths }) }
  const type = 'kubernetes.io/dockerconfigjson'
  await lab.create(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, type, stringData })
}

/** The rights of config/rbac once more, for an operator in another namespace. */
async function installAgain(): Promise<void> {
  await cluster.kubectl('create', 'namespace', otherNamespace)
  for (const document of parseAllDocuments(await cluster.kubectl('kustomize', 'config/rbac'))) {
    const object = JSON.parse(JSON.stringify(document.toJS()).replaceAll(operatorNamespace, otherNamespace))
    if (object.kind === 'ClusterRole') continue
    if (object.kind === 'ClusterRoleBinding') object.metadata.name += '-other'
    await cluster.apply(JSON.stringify(object))
  }
}
