/** Argo CD's health check says what kstatus says, of every status there is. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Status, statusOf } from '../../src/model/status.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { anyFindings } from '../model/findings.ts'
import { verdictOf } from '../model/kstatus.ts'
import { statusCases } from '../model/status-cases.ts'
import { runHealthCheck } from '../parts/argocd-health.ts'
import { healthByVerdict, healthFile, healthKey, healthOf } from './health.ts'

const now = '2026-01-02T00:00:00Z'

interface Situation {
  generation: number
  deleting: boolean
  status: Status
}

function credential({ generation, deleting, status }: Situation): object {
  return { metadata: { name: 'a', generation, ...(deleting && { deletionTimestamp: now }) }, status }
}

const messageOf = ({ conditions }: Status, type: string) => conditions?.find((each) => each.type === type)?.message

test.each(statusCases)('when $when, and why', async ({ found, previous, verdict }) => {
  const status = statusOf(found, previous, now)
  const { generation, deleting } = found.credential
  const [health] = await healthOf([credential({ generation, deleting, status })])
  const why = messageOf(status, 'Reconciling') ?? messageOf(status, 'Stalled') ?? messageOf(status, 'Ready')
  expect(health).toEqual({ status: healthByVerdict[verdict], message: deleting ? 'Being deleted' : why })
})

test('in a thousand situations, also where the status is behind', async () => {
  const situation = fc.record({ found: anyFindings, before: anyFindings, ahead: fc.constantFrom(0, 0, 1) })
  const situations = fc.sample(situation, { numRuns: 1000, seed: 1 }).map(({ found, before, ahead }): Situation => {
    const { generation, deleting } = found.credential
    const status = statusOf(found, statusOf(before, undefined, now), now)
    return { generation: generation + ahead, deleting, status }
  })
  const said = (await healthOf(situations.map(credential))).map(({ status }) => status)
  expect(said).toEqual(situations.map((each) => healthByVerdict[verdictOf(each)]))
  expect(new Set(said)).toEqual(new Set(['Progressing', 'Degraded', 'Healthy']))
})

describe('of a credential that no operator has looked at it says that it waits:', () => {
  test.each([
    ['as the CRD makes it', { metadata: { generation: 1 }, status: { observedGeneration: -1 } }],
    ['without a status', { metadata: { generation: 1 } }],
    ['with an empty status', { metadata: { generation: 1 }, status: {} }],
    ['with a number alone', { metadata: { generation: 1 }, status: { observedGeneration: 1 } }],
  ])('%s', async (_, object) => {
    expect(await healthOf([object])).toEqual([{ status: 'Progressing', message: 'Waiting for the operator' }])
  })
})

test('the command at its top puts it into the ConfigMap of Argo CD, beside what is there', async () => {
  const cluster = sharedCluster()
  const namespace = 'argocd'
  await cluster.kubectl('create', 'namespace', namespace)
  try {
    await cluster.kubectl(
      'create',
      'configmap',
      'argocd-cm',
      '-n',
      namespace,
      '--from-literal=url=https://argocd.example.com',
    )
    await cluster.kubectl('patch', 'configmap', 'argocd-cm', '-n', namespace, '--patch-file', healthFile)
    const { data } = JSON.parse(await cluster.kubectl('get', 'configmap', 'argocd-cm', '-n', namespace, '-o', 'json'))
    expect(Object.keys(data).sort()).toEqual([healthKey, 'url'])
    const waiting = { metadata: { generation: 1 } }
    expect(await runHealthCheck(data[healthKey], [waiting])).toEqual(await healthOf([waiting]))
  } finally {
    await cluster.kubectl('delete', 'namespace', namespace, '--wait=false')
  }
})

test('a script that cannot run is an error, and so is one that returns nothing', async () => {
  await expect(runHealthCheck('return os.exit(0)', [{}])).rejects.toThrow('attempt to index a non-table object')
  await expect(runHealthCheck('local x = obj', [{}])).rejects.toThrow('the script returned no table')
})
