/** What people read of a credential in kubectl: conditions and Events in sentences, with nothing of a login in them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, secretPath } from './lab.ts'

let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

test('kubectl describe says what is wrong, where and what cures it, and its Events tell the story', async () => {
  const source = await lab.source('hub', { 'ghcr.io': { username: 'robot', password: 'described-password' } })
  const [team, foreign] = [await lab.namespace('team'), await lab.namespace('foreign')]
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'regcred' } }
  await lab.create(`/api/v1/namespaces/${foreign}/secrets`, secret)
  const name = await lab.credential('hub', {
    source: { secretRef: { name: source } },
    namespaces: { include: [team, foreign], optIn: true },
  })
  const described = async () => (await lab.cluster.kubectl('describe', 'rcred', name)).split('\n')
  const failed = `1 namespace failed of 2; first ${foreign}: Secret regcred is not managed by this operator and is left alone; delete it`
  await eventually(async () => {
    const lines = await described()
    const at = lines.findIndex((line) => /^ +Reason: +NamespacesFailed$/.test(line))
    expect(lines.slice(at - 2, at + 3)).toEqual([
      expect.stringMatching(new RegExp(`^ +Message: +${failed}, or, if .*annotate it regcred.dev/adopt=true\\.$`)),
      expect.stringMatching(/^ +Observed Generation: +1$/),
      expect.stringMatching(/^ +Reason: +NamespacesFailed$/),
      expect.stringMatching(/^ +Status: +False$/),
      expect.stringMatching(/^ +Type: +Ready$/),
    ])
    const events = lines.slice(lines.indexOf('Events:') + 3)
    const told = (reason: string, message: string) =>
      expect.stringMatching(new RegExp(`^ +Warning +${reason} +\\S+ +regcred\\.dev/operator +${message}`))
    expect(events).toContainEqual(told('NotOwned', `Secret ${foreign}/regcred is not managed by the operator`))
    expect(events).toContainEqual(told('NamespacesFailed', failed))
  })
  await lab.client.delete(secretPath(foreign))
  await lab.ready(name)
  await eventually(async () => {
    const text = (await described()).join('\n')
    expect(text).toMatch(
      /Normal +Succeeded +\S+ +regcred\.dev\/operator +Secret regcred is up to date in 2 namespaces\./,
    )
    expect(text).not.toContain('described-password')
  })
})
