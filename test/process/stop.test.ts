/** SIGTERM in the middle of work: the write under way ends, nothing new is begun, and the next start does the rest. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, startOperator } from '../cluster/operator.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { isWrite, requestsSince } from '../controller/traffic.ts'
import { linesOf, troubleIn } from './program.ts'

const count = 200

let lab: Lab
let namespaces: string[]

beforeAll(async () => {
  lab = new Lab()
  namespaces = await Promise.all(Array.from({ length: count }, (_, index) => lab.namespace(`stop-${index}`)))
})

afterAll(() => lab.close())

test(
  'an operator that is stopped in a fan-out ends with 0, leaves nothing that harms, and the next one completes it',
  async () => {
    // One at a time, so that there is a middle to stop in.
    const first = await startOperator({ args: ['--concurrency=1'] })
    const begin = new Date()
    const source = await lab.source('stop', { 'ghcr.io': { username: 'robot', password: 'stop-login' } })
    const credential = await lab.credential('stop', {
      source: { secretRef: { name: source } },
      namespaces: { include: [lab.unique('stop-*')], optIn: true },
    })
    const writes = async () => {
      const requests = await requestsSince(sharedCluster(), begin)
      return requests.filter((each) => isWrite(each) && namespaces.includes(each.namespace))
    }
    await eventually(async () => expect(await first.metrics()).toMatch(/method="PATCH",resource="serviceaccounts"/))
    expect(await first.stop()).toBe(0)

    const done = await writes()
    expect(done.length).toBeLessThan(2 * count)
    // Every answer was waited for: a request that was cut off has none, or another one.
    expect(done.filter(({ code }) => code !== 200 && code !== 201)).toEqual([])
    const halfDone: string[] = []
    for (const namespace of namespaces) {
      const there = (await lab.secret(namespace)) !== null
      const references = await lab.references(namespace)
      if (there && references.length === 0) halfDone.push(namespace)
      else expect(references).toEqual(there ? ['regcred'] : [])
    }
    // The one it was at may have its Secret and no reference yet.
    expect(halfDone.length).toBeLessThanOrEqual(1)
    expect(linesOf(first.logs()).at(-1)).toMatchObject({ level: 'info', message: 'stopped' })
    expect(troubleIn(first.logs())).toEqual([])

    const second = await startOperator()
    const { status } = await lab.ready(credential)
    expect(status?.namespaces).toMatchObject({ selected: count, synced: count })
    expect(status?.serviceAccounts).toEqual({ selected: count, linked: count })
    expect(await writes()).toHaveLength(2 * count) // one for each Secret and ServiceAccount, by both together
    expect(await second.stop()).toBe(0)
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)
