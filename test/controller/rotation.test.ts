/** New logins reach every namespace in place: one write for each Secret, nothing else, and the same bytes everywhere. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, loginsOf, type Secret } from './lab.ts'
import { describe, isWrite, requestsSince } from './traffic.ts'

const count = 50

let lab: Lab
let operator: RunningOperator
let source: string
let credential: string
let namespaces: string[]

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('rotation', logins('first'))
  namespaces = await Promise.all(Array.from({ length: count }, (_, index) => lab.namespace(`rotation-${index}`)))
  operator = await startOperator()
  credential = await lab.credential('rotation', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('rotation-*')], optIn: true },
  })
  await arrived('first')
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

function logins(password: string): Record<string, Login> {
  return { 'ghcr.io': { username: 'robot', password: `rotation-${password}` } }
}

async function copies(): Promise<Secret[]> {
  const found = await Promise.all(namespaces.map((namespace) => lab.secret(namespace)))
  return found.filter((secret) => secret !== null)
}

/** Waits until the login is everywhere and the status tells so; the Secrets. */
async function arrived(password: string): Promise<Secret[]> {
  return await eventually(
    async () => {
      const secrets = await copies()
      expect(secrets).toHaveLength(count)
      for (const secret of secrets) expect(loginsOf(secret)).toEqual(logins(password))
      const { status } = await lab.readCredential(credential)
      expect(status?.namespaces).toEqual({ selected: count, synced: count, failed: 0, summary: '50/50' })
      expect(status?.serviceAccounts).toEqual({ selected: count, linked: count })
      expect(status?.conditions?.map(({ type, status }) => [type, status])).toEqual([['Ready', 'True']])
      return secrets
    },
    { describe: `${password} in all namespaces` },
  )
}

const uids = (secrets: Secret[]) => secrets.map(({ metadata }) => metadata.uid)

/** Of each target namespace how many writes its Secret has had since; fails on any other request to a namespace. */
async function secretWrites(since: Date): Promise<number[]> {
  const requests = await requestsSince(lab.cluster, since)
  const inNamespaces = requests.filter(({ namespace }) => namespaces.includes(namespace))
  const others = inNamespaces.filter((each) => each.resource !== 'secrets' || each.verb !== 'patch')
  expect(others.map(describe)).toEqual([])
  expect(inNamespaces.filter(({ code }) => code !== 200).map(describe)).toEqual([])
  return namespaces.map((name) => inNamespaces.filter(({ namespace }) => namespace === name).length)
}

test('a rotation is one write for each Secret, in place, and nothing for the ServiceAccounts', async () => {
  const before = await copies()
  const since = new Date()
  for (const password of ['second', 'third']) {
    await lab.rotate(source, logins(password))
    const after = await arrived(password)
    expect(uids(after)).toEqual(uids(before))
    expect(new Set(after.map(({ data }) => data?.['.dockerconfigjson'])).size).toBe(1)
    const marks = after.map(({ metadata }) => metadata.annotations?.['regcred.dev/mark'] ?? '')
    expect(new Set(marks.map((mark) => mark.split(':')[0])).size).toBe(1) // the hash of the data
    expect(new Set(marks).size).toBe(count) // each is signed for its own Secret
  }
  expect(await secretWrites(since)).toEqual(namespaces.map(() => 2))
  const requests = await requestsSince(lab.cluster, since)
  const sourceReads = requests.filter(({ verb, name }) => verb === 'get' && name === source)
  expect(sourceReads).toHaveLength(2)
  expect(requests.filter((each) => each.verb === 'get' && each.name !== source).map(describe)).toEqual([])
  expect(requests.filter(({ verb }) => verb === 'list').map(describe)).toEqual([])
})

test('ten rotations in quick succession end at the last one', async () => {
  const before = await copies()
  const since = new Date()
  for (let round = 1; round <= 10; round++) await lab.rotate(source, logins(`quick-${round}`))
  const after = await arrived('quick-10')
  expect(uids(after)).toEqual(uids(before))
  for (const writes of await secretWrites(since)) expect(writes).toBeLessThanOrEqual(10)
  const late = await lab.namespace('rotation-late')
  await eventually(async () => expect(await lab.logins(late)).toEqual(logins('quick-10')))
  expect((await copies()).map(loginsOf)).toEqual(namespaces.map(() => logins('quick-10')))
  await lab.client.delete(`/api/v1/namespaces/${late}`)
  await eventually(async () => expect((await lab.readCredential(credential)).status?.namespaces?.selected).toBe(count))
})

test('a rotation while the operator is down is made up for when it starts', async () => {
  const before = await copies()
  expect(await operator.stop()).toBe(0)
  await lab.rotate(source, logins('down'))
  const since = new Date()
  operator = await startOperator()
  const after = await arrived('down')
  expect(uids(after)).toEqual(uids(before))
  expect(await secretWrites(since)).toEqual(namespaces.map(() => 1))
})

test('a start without a change in between writes nothing', async () => {
  expect(await operator.stop()).toBe(0)
  const since = new Date()
  operator = await startOperator()
  const before = await copies()
  const marker = await lab.namespace('rotation-marker')
  await eventually(async () => expect(await lab.references(marker)).toEqual(['regcred']))
  await eventually(async () => expect((await lab.readCredential(credential)).status?.namespaces?.summary).toBe('51/51'))
  expect(await copies()).toEqual(before)
  const writes = (await requestsSince(lab.cluster, since)).filter(isWrite)
  const ofMarker = ({ namespace, subresource }: { namespace: string; subresource: string }) =>
    namespace === marker || subresource === 'status'
  expect(writes.filter((each) => !ofMarker(each)).map(describe)).toEqual([])
  // Of the marker, and one more where a busy operator is seen half way.
  expect(writes.filter(({ subresource }) => subresource === 'status').length).toBeLessThanOrEqual(4)
})
