import { beforeAll, expect, test } from '@jest/globals'
import type { KubeClient } from '../../src/kube/client.ts'
import { type EventRecord, EventRecorder } from '../../src/kube/events.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import { answer, first, startHttpProxy } from './http-proxy.ts'
import { atEnd, configOf, freshNamespace, openClient, recordingLog } from './setup.ts'

interface Event extends KubeObject {
  note: string
  type: string
  action: string
  reason: string
  reportingController: string
  reportingInstance: string
  regarding: EventRecord['regarding']
  series?: { count: number }
}

let admin: KubeClient
let namespace: string

beforeAll(async () => {
  admin = openClient()
  namespace = await freshNamespace(admin)
})

function open(client: KubeClient = admin) {
  const { log, lines } = recordingLog()
  const recorder = new EventRecorder({ client, instance: 'pod-1', log })
  atEnd(() => recorder.close())
  return Object.assign(recorder, { lines })
}

/** About an object that no other test knows. */
function record(about: string, note: string): EventRecord {
  const regarding = { apiVersion: 'v1', kind: 'Secret', namespace, name: about, uid: `uid-of-${about}` }
  return { regarding, type: 'Warning', reason: 'NotOwned', action: 'WriteSecret', note }
}

async function eventsAbout(name: string, where = namespace): Promise<Event[]> {
  const { items } = await admin.get<KubeList<Event>>(`/apis/events.k8s.io/v1/namespaces/${where}/events`)
  return (items ?? []).filter(({ regarding }) => regarding.name === name)
}

test('an Event says who reports what about which object', async () => {
  const recorder = open()
  recorder.record(record('plain', 'left alone'))
  await recorder.flush()
  expect(await eventsAbout('plain')).toEqual([
    expect.objectContaining({
      note: 'left alone',
      type: 'Warning',
      reason: 'NotOwned',
      action: 'WriteSecret',
      reportingController: 'regcred.dev/operator',
      reportingInstance: 'pod-1',
      regarding: { apiVersion: 'v1', kind: 'Secret', namespace, name: 'plain', uid: 'uid-of-plain' },
    }),
  ])
})

test('what is said again becomes the count of one Event, before and after that was written', async () => {
  const recorder = open()
  for (let i = 0; i < 3; i++) recorder.record(record('again', 'same'))
  await recorder.flush()
  expect((await eventsAbout('again')).map(({ series }) => series?.count)).toEqual([3])
  for (let i = 0; i < 4; i++) recorder.record(record('again', 'same'))
  await recorder.flush()
  expect((await eventsAbout('again')).map(({ series }) => series?.count)).toEqual([7])
  recorder.record(record('again', 'something else'))
  await recorder.flush()
  expect(await eventsAbout('again')).toHaveLength(2)
})

test('an Event that has expired in the meantime is written anew', async () => {
  const recorder = open()
  recorder.record(record('expired', 'same'))
  await recorder.flush()
  const [event] = await eventsAbout('expired')
  await admin.delete(`/apis/events.k8s.io/v1/namespaces/${namespace}/events/${event?.metadata.name}`)
  recorder.record(record('expired', 'same'))
  await recorder.flush()
  expect((await eventsAbout('expired')).map(({ series }) => series?.count)).toEqual([2])
})

test('an Event about a cluster-scoped object is in the namespace default', async () => {
  const name = `wide-${namespace}`
  const recorder = open()
  const regarding = { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', name, uid: `uid-of-${name}` }
  recorder.record({ ...record('', 'hello'), regarding })
  await recorder.flush()
  const [event] = await eventsAbout(name, 'default')
  expect(event?.regarding).toEqual(regarding)
  await admin.delete(`/apis/events.k8s.io/v1/namespaces/default/events/${event?.metadata.name}`)
})

test('a note that is too long is cut where the API server allows, whatever its characters', async () => {
  const recorder = open()
  for (const character of ['x', 'ü', '€', '🔑']) recorder.record(record('long', character.repeat(2_000)))
  await recorder.flush()
  const notes = (await eventsAbout('long')).map(({ note }) => note)
  expect(notes).toHaveLength(4)
  for (const note of notes) {
    expect(note).toMatch(/^(x+|ü+|€+|🔑+)…$/u)
    expect(Buffer.byteLength(note)).toBeGreaterThan(1_015)
  }
})

test('the name of an Event is valid, however long and odd the name of its object', async () => {
  const recorder = open()
  const about = `${'a'.repeat(199)}.${'b'.repeat(50)}`
  recorder.record(record(about, 'long name'))
  await recorder.flush()
  expect(await eventsAbout(about)).toHaveLength(1)
})

test('an object about which too much is said is cut short; the others are not', async () => {
  const recorder = open()
  for (let i = 0; i < 100; i++) recorder.record(record('noisy', `number ${i}`))
  recorder.record(record('quiet', 'hello'))
  await recorder.flush()
  expect(await eventsAbout('noisy')).toHaveLength(25)
  expect(await eventsAbout('quiet')).toHaveLength(1)
})

test('what could not be written for the moment is written with the next flush', async () => {
  const proxy = await startHttpProxy(configOf())
  atEnd(() => proxy.close())
  proxy.interfere = first(1, () => true, answer(503, ''))
  const recorder = open(openClient(configOf(undefined, proxy.url)))
  recorder.record(record('later', 'hello'))
  await recorder.flush()
  expect(await eventsAbout('later')).toEqual([])
  await recorder.flush()
  expect(await eventsAbout('later')).toHaveLength(1)
})

test('an Event that is refused is dropped, and never an error for whoever records it', async () => {
  const recorder = open()
  const refused = record('refused', 'hello')
  recorder.record({ ...refused, regarding: { ...refused.regarding, namespace: `no-${namespace}` } })
  await recorder.flush()
  recorder.record(record('accepted', 'hello'))
  await recorder.close()
  expect(await eventsAbout('accepted')).toHaveLength(1)
  expect(recorder.lines.map(({ level, message }) => `${level} ${message}`)).toEqual(['debug an Event was not written'])
})

test('after close nothing is recorded', async () => {
  const recorder = open()
  await recorder.close()
  recorder.record(record('closed', 'hello'))
  await recorder.flush()
  expect(await eventsAbout('closed')).toEqual([])
})
