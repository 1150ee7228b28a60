/**
 * Somebody who undoes what the operator writes, again and again: repaired with bounded effort and never given up, told
 * with who it is and what ends it, while everybody else is served as ever.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { follow, violationsOf } from './history.ts'
import { Lab, secretPath, serviceAccountPath } from './lab.ts'
import { rivalManager, startRival } from './rival.ts'
import { isWrite, requestsSince } from './traffic.ts'

const everyMs = 200
const stubbornMs = 120_000
/** A first write, and the six repairs after which an object is contended. */
const writesUntilContended = 7

let lab: Lab
let operator: RunningOperator
let source: string
const login = { username: 'robot', password: 'p4ssw0rd-of-rivals' }

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('rival', { 'ghcr.io': login })
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

async function credentialFor(
  name: string,
  include: string[],
  spec: Partial<RegistryCredentialSpec> = {},
): Promise<string> {
  const namespaces = { include, optIn: true }
  const credential = await lab.credential(name, { source: { secretRef: { name: source } }, namespaces, ...spec })
  await lab.ready(credential)
  return credential
}

async function linked(namespace: string, serviceAccount = 'default'): Promise<void> {
  const describe = `the reference on ${namespace}/${serviceAccount}`
  await eventually(async () => expect(await lab.references(namespace, serviceAccount)).toContain('regcred'), {
    describe,
    timeoutMs: 100_000,
  })
}

/** Undoes every write as soon as it is there, as often as it takes. */
async function undo(isThere: () => Promise<void>, undoIt: () => Promise<unknown>): Promise<void> {
  for (let write = 1; write <= writesUntilContended; write++) {
    await isThere()
    await undoIt()
  }
}

async function repeatedly(ms: number, work: () => Promise<void>): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; await sleep(everyMs)) await work()
}

async function strip(namespace: string): Promise<void> {
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: [] })
}

async function contendedMessage(credential: string): Promise<string> {
  const { status } = await lab.condition(credential, 'Contended', 'True')
  return status?.conditions?.find(({ type }) => type === 'Contended')?.message ?? ''
}

async function atPeace(credential: string): Promise<void> {
  await eventually(async () => {
    const { status } = await lab.ready(credential)
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready'])
  })
}

/** The operator's writes to one object. */
async function writesOn(resource: string, namespace: string, name: string, since: Date): Promise<Date[]> {
  return (await requestsSince(lab.cluster, since))
    .filter((each) => each.resource === resource && each.namespace === namespace && each.name === name && isWrite(each))
    .map(({ time }) => time)
}

test(
  'a rival that strips the reference every 200 ms for two minutes gets at most 20 writes, and nobody else waits',
  async () => {
    const [stubborn, neighbour] = [await lab.namespace('stubborn'), await lab.namespace('neighbour')]
    const credential = await credentialFor('stubborn', [lab.unique('stubborn*'), neighbour], {
      serviceAccounts: ['default', 'app-*'],
    })
    const history = follow(lab, credential)
    const since = new Date()
    const writes = async () =>
      (await writesOn('serviceaccounts', stubborn, 'default', since)).filter(
        (time) => time.getTime() < since.getTime() + stubbornMs,
      ).length
    const rival = startRival(lab, { namespace: stubborn, list: ['git'], everyMs })
    const over = sleep(stubbornMs)

    const message = await contendedMessage(credential)
    expect(message).toContain(`ServiceAccount ${stubborn}/default (managedFields name ${rivalManager})`)
    expect(message).toContain('ignoreDifferences')
    const { status } = await lab.condition(credential, 'Ready', 'False')
    expect(status?.failures).toEqual([expect.objectContaining({ namespace: stubborn, reason: 'Contended' })])
    expect(status?.namespaces).toMatchObject({ selected: 2, synced: 1, failed: 1 })
    await eventually(async () => {
      const told = (await lab.events(credential)).filter(({ reason }) => reason === 'Contended')
      expect(told).toEqual([expect.objectContaining({ type: 'Warning', note: message })])
    })
    expect(await operator.metrics()).toContain(`regcred_contended_namespaces{credential="${credential}"} 1\n`)

    const before = await writes()
    for (const name of ['app-1', 'app-2', 'app-3']) {
      await lab.create(`/api/v1/namespaces/${stubborn}/serviceaccounts`, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name },
      })
      await linked(stubborn, name)
      await strip(neighbour)
      await linked(neighbour)
    }
    expect((await writes()) - before).toBeLessThanOrEqual(2) // they have not waited for its turns

    await eventually(() => {
      expect(history.versions.at(-1)?.status?.serviceAccounts).toEqual({ selected: 5, linked: 4 })
    })
    const { length } = history.versions
    await over
    await rival.stop()
    const total = await writes()
    expect(total).toBeGreaterThan(writesUntilContended)
    expect(total).toBeLessThanOrEqual(20)
    expect(history.versions.slice(length)).toEqual([]) // no attempt is worth a word
    expect(rival.answers.length).toBeGreaterThan(100)

    await linked(stubborn)
    expect(await lab.references(stubborn)).toEqual(['git', 'regcred'])
    await lab.condition(credential, 'Contended', 'True') // not for long enough yet
    expect(violationsOf(history.versions)).toEqual([])

    await lab.client.delete(serviceAccountPath(stubborn)) // the controller-manager makes it anew
    await linked(stubborn)
    await atPeace(credential)
    expect(await operator.metrics()).toContain(`regcred_contended_namespaces{credential="${credential}"} 0\n`)
  },
  stubbornMs + 180_000,
)

describe('a rival', () => {
  test('that managedFields do not name is told as nobody, and ends with the credential', async () => {
    const namespace = await lab.namespace('untracked')
    const credential = await credentialFor('untracked', [namespace])
    expect((await lab.serviceAccount(namespace))?.metadata.managedFields).toBeUndefined()
    await undo(
      () => linked(namespace),
      () => strip(namespace),
    )
    expect(await contendedMessage(credential)).toContain(
      `ServiceAccount ${namespace}/default (managedFields name nobody)`,
    )
    await lab.deleteCredential(credential)
    await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
    expect((await lab.serviceAccount(namespace))?.metadata.annotations?.['regcred.dev/managed']).toBeUndefined()
    expect(await lab.secret(namespace)).toBeNull()

    // What comes then is another credential, whose references are written at once.
    const next = await credentialFor('untracked-next', [namespace])
    await atPeace(next)
  })

  test('that keeps changing the copy is met with few writes, and the copy comes back at last', async () => {
    const namespace = await lab.namespace('changed')
    const own = await lab.source('changed', { 'ghcr.io': login })
    const credential = await credentialFor('changed', [namespace], { source: { secretRef: { name: own } } })
    const since = new Date()
    const spoiled = { data: { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') } }
    await repeatedly(20_000, () => lab.patch(secretPath(namespace), spoiled))
    const message = await contendedMessage(credential)
    expect(message).toContain(`Secret ${namespace}/regcred (managedFields name test)`)
    expect((await writesOn('secrets', namespace, 'regcred', since)).length).toBeLessThanOrEqual(12)
    await eventually(async () => expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login }), {
      timeoutMs: 100_000,
    })

    // New entries are not what was fought about.
    const rotated = { 'ghcr.io': { ...login, password: 'rotated-amid-rivals' } }
    await lab.rotate(own, rotated)
    await eventually(async () => expect(await lab.logins(namespace)).toEqual(rotated))
    await atPeace(credential)
  })

  test('that keeps deleting the copy is met with few writes, and with none when the credential has left', async () => {
    const namespace = await lab.namespace('deleted')
    const credential = await credentialFor('deleted', [namespace])
    await undo(
      async () => void (await eventually(() => lab.secret(namespace), { timeoutMs: 100_000 })),
      () => lab.client.delete(secretPath(namespace)),
    )
    expect(await contendedMessage(credential)).toContain(`Secret ${namespace}/regcred (managedFields name nobody)`)
    await lab.label(namespace, { 'regcred.dev/opt-out': 'true' })
    await atPeace(credential)
    expect(await lab.references(namespace)).toEqual([])
    await lab.label(namespace, { 'regcred.dev/opt-out': null })
    await eventually(async () => expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login }))
    await linked(namespace)
    await atPeace(credential)
  })
})

test('who brings a reference with our annotation back where no credential asks for it gets few writes as well', async () => {
  const namespace = await lab.namespace('brought-back')
  const since = new Date()
  const ours = {
    metadata: { annotations: { 'regcred.dev/managed': 'regcred' } },
    imagePullSecrets: [{ name: 'own' }, { name: 'regcred' }],
  }
  await repeatedly(15_000, () => lab.patch(serviceAccountPath(namespace), ours))
  expect((await writesOn('serviceaccounts', namespace, 'default', since)).length).toBeLessThanOrEqual(12)
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own']), { timeoutMs: 100_000 })
})

test('what the operator itself takes off and puts on again, eight times, is no contention', async () => {
  const namespace = await lab.namespace('toggled')
  const credential = await credentialFor('toggled', [namespace])
  const history = follow(lab, credential)
  for (let round = 1; round <= 8; round++) {
    await lab.patchCredential(credential, { serviceAccounts: [] })
    await eventually(async () => expect(await lab.references(namespace)).toEqual([]))
    await lab.patchCredential(credential, { serviceAccounts: ['default'] })
    await linked(namespace)
  }
  await atPeace(credential)
  const types = history.versions.flatMap(({ status }) => status?.conditions?.map(({ type }) => type) ?? [])
  expect(types).toContain('Ready')
  expect(types).not.toContain('Contended')
})
