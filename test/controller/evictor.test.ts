/** How rarely pods of one controller are evicted. What is evicted at all is in stuck-pods-evict.test.ts. */
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Evictor } from '../../src/controller/evictor.ts'
import { Reporter } from '../../src/controller/reporter.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import type { EvictionResult } from '../../src/telemetry/metrics.ts'
import { recordingLog } from '../kube/setup.ts'
import { credential, serviceAccount } from '../model/builders.ts'
import { Lab } from './lab.ts'
import { deploy, type Pod, successor } from './pods-lab.ts'

const lab = new Lab()
let events: EventRecorder
let evictor: Evictor
let asked: EvictionResult[]
let laterMs: number

beforeEach(() => {
  const { log } = recordingLog()
  events = new EventRecorder({ client: lab.client, instance: 'test', log })
  asked = []
  evictor = new Evictor({
    client: lab.client,
    reporter: new Reporter(events, (text) => text),
    log,
    evictionAsked: (result) => asked.push(result),
  })
  laterMs = 0
  const now = performance.now.bind(performance)
  jest.spyOn(performance, 'now').mockImplementation(() => now() + laterMs)
})

afterEach(async () => {
  jest.restoreAllMocks()
  await events.close()
})

afterAll(() => lab.close())

/** The pod waits since before its ServiceAccount got the list that it has since `listedAt`. */
async function heal({ metadata }: Pod, listedAt: number): Promise<number | undefined> {
  const { namespace = '', name, uid, resourceVersion, creationTimestamp = '', ownerReferences } = metadata
  return await evictor.heal('NotReferenced', {
    pod: {
      namespace,
      name,
      uid,
      resourceVersion,
      createdAt: Date.parse(creationTimestamp),
      deleting: false,
      serviceAccount: 'default',
      pullSecrets: [],
      waits: [{ image: 'ghcr.io/acme/app', cause: 'missing' }],
      replacedBy: ownerReferences?.[0]?.uid,
    },
    serviceAccount: serviceAccount({ listedAt }),
    credential: credential('evictor', { healPods: 'Evict' }),
    issuedAt: 0,
    covers: () => true,
    heldMs: 60_000,
  })
}

test('when its new pods are stuck again each time the list of their ServiceAccount is written, it is ever more rarely', async () => {
  const namespace = await lab.namespace('evictor')
  let pod = await deploy(lab, namespace)
  expect(await heal(pod, 1)).toBeUndefined()
  expect(asked).toEqual(['evicted'])
  const pauses: number[] = []
  for (const listedAt of [2, 3, 4]) {
    pod = await successor(lab, namespace, pod)
    const pause = (await heal(pod, listedAt)) ?? 0
    pauses.push(Math.ceil(pause / 30_000))
    laterMs += pause
    expect(await heal(pod, listedAt)).toBeUndefined()
  }
  expect(pauses).toEqual([1, 2, 4])
  expect(asked).toHaveLength(4)
})
