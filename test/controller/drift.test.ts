/**
 * Copies and references that were changed by others: mended at once by one write to the one object that is wrong, and
 * so is what happened while no operator was there to see it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/kube/objects.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { type Drift, drifts, managedAnnotation, managedByLabel, markAnnotation } from './drifts.ts'
import { Lab, type Login, type Secret, type ServiceAccount, secretPath, serviceAccountPath } from './lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'
import { isWrite, requestsSince } from './traffic.ts'

let lab: Lab
let credential: string
const operator = new Restarts()
const login: Login = { username: 'robot', password: 'p4ssw0rd-of-drift' }

/** Where the operator has settled down, and since when its writes there are counted. */
interface Place {
  namespace: string
  since: Date
  secret: Secret
}

beforeAll(async () => {
  lab = new Lab()
  const source = await lab.source('drift', { 'ghcr.io': login })
  credential = await lab.credential('drift', { source: { secretRef: { name: source } } })
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

/** Makes a namespace whose ServiceAccount has two entries of its own, and waits until it is served. */
async function settle(name: string): Promise<Place> {
  const namespace = await lab.namespace(name)
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: [{ name: 'own' }] })
  await lab.label(namespace, { [`use.regcred.dev/${credential}`]: 'true' })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own', 'regcred']))
  const names = ['own', 'regcred', 'another'].map((each) => ({ name: each }))
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: names })
  const secret = await lab.client.get<Secret>(secretPath(namespace))
  return { namespace, secret, since: new Date() }
}

/** The Secret and the reference are as they should be, with what others have put there. */
async function isRight({ namespace, secret: before }: Place, drift: Drift): Promise<void> {
  await eventually(
    async () => {
      const secret = await lab.client.get<Secret>(secretPath(namespace))
      const serviceAccount = await lab.client.get<ServiceAccount>(serviceAccountPath(namespace))
      expect(secret.data).toEqual(before.data)
      expect(secret.metadata.labels?.[managedByLabel]).toBe('regcred-operator')
      expect(secret.metadata.annotations?.[markAnnotation]).toBe(before.metadata.annotations?.[markAnnotation])
      expect(ownCredentials(secret)).toEqual(ownCredentials(before))
      expect(secret.metadata.uid === before.metadata.uid).toBe(drift.uidChanges !== true)
      expect(drift.keeps?.(secret) ?? true).toBe(true)
      const references = serviceAccount.imagePullSecrets?.map(({ name }) => name)
      expect(references).toEqual(drift.references ?? ['own', 'regcred', 'another'])
      expect(serviceAccount.metadata.annotations?.[managedAnnotation]).toBe('regcred')
    },
    { describe: `${drift.what}: mended in ${namespace}` },
  )
}

/** @returns what the credential says about the namespace */
async function isReported({ namespace }: Pick<Place, 'namespace'>, reason: string): Promise<string> {
  return await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    const failure = status?.failures?.find((each) => each.namespace === namespace)
    expect(failure?.reason).toBe(reason)
    return failure?.message ?? ''
  })
}

function ownCredentials({ metadata }: KubeObject): unknown {
  return metadata.ownerReferences?.filter(({ kind }) => kind === 'RegistryCredential')
}

/** The operator's writes to a place, Events aside. */
async function writes({ namespace, since }: Place): Promise<string[]> {
  const requests = await requestsSince(lab.cluster, since)
  return requests
    .filter((request) => request.namespace === namespace && request.resource !== 'events' && isWrite(request))
    .map(({ verb, resource, code }) => `${verb} ${resource} ${code < 300 ? 'done' : code}`)
}

function expectedWrites({ mends, writes = [`patch ${mends} done`] }: Drift): string[] {
  return mends === undefined ? [] : writes
}

/** A change in another namespace of the same sort has been answered: what was to come of earlier ones has come. */
async function allQuiet(): Promise<void> {
  const { namespace, secret } = await settle(`quiet-${quiets++}`)
  await lab.client.delete(secretPath(namespace))
  await eventually(async () => expect((await lab.secret(namespace))?.metadata.uid).not.toBe(secret.metadata.uid))
}
let quiets = 0

const sentence = ({ what, mends }: Drift) => `${what} is ${mends ? 'mended' : 'left as it is'}`

describe('while the operator is there', () => {
  const places: [Drift, Place][] = []

  test.each(drifts.map((drift, index) => ({ drift, index, title: sentence(drift) })))(
    '$title',
    async ({ drift, index }) => {
      const place = await settle(`drift-${index}`)
      places.push([drift, place])
      await drift.change(lab, place.namespace)
      await isRight(place, drift)
    },
  )

  test('nothing more was written than that', async () => {
    await allQuiet()
    expect(places).toHaveLength(drifts.length)
    for (const [drift, place] of places) {
      expect([drift.what, await writes(place)]).toEqual([drift.what, expectedWrites(drift)])
    }
  })
})

test(
  'what happened while the operator was down is mended when it is back, and nothing else is written',
  async () => {
    const places = await Promise.all(
      drifts.map(async (drift, index) => ({ drift, place: await settle(`down-${index}`) })),
    )
    const untouched = await settle('down-untouched')
    await operator.whileDown(async () => {
      for (const { drift, place } of places) await drift.change(lab, place.namespace)
    })
    for (const { drift, place } of places.filter(({ drift }) => !drift.unprovable)) await isRight(place, drift)
    const unprovable = places.filter(({ drift }) => drift.unprovable)
    for (const { place } of unprovable) await isReported(place, 'NotOwned')
    await allQuiet()
    for (const { drift, place } of places) {
      expect([drift.what, await writes(place)]).toEqual([drift.what, drift.unprovable ? [] : expectedWrites(drift)])
    }
    for (const { drift, place } of unprovable) {
      await lab.client.delete(secretPath(place.namespace))
      await isRight(place, { ...drift, uidChanges: true })
    }
    expect(await writes(untouched)).toEqual([])
    expect((await lab.secret(untouched.namespace))?.metadata.resourceVersion).toBe(
      untouched.secret.metadata.resourceVersion,
    )
  },
  RESTART_TIMEOUT_MS,
)

test('a copy that a finalizer of somebody else keeps is made anew when it has gone', async () => {
  const { namespace, secret } = await settle('kept')
  await lab.patch(secretPath(namespace), { metadata: { finalizers: ['example.com/kept'] } })
  await lab.client.delete(secretPath(namespace))
  expect(await isReported({ namespace }, 'SecretTerminating')).toContain('example.com/kept')
  await lab.patch(secretPath(namespace), { metadata: { finalizers: null } })
  await eventually(async () => {
    expect((await lab.secret(namespace))?.metadata.uid).not.toBe(secret.metadata.uid)
    expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login })
  })
  await lab.ready(credential)
})

test('an entry without the annotation that says it is ours is its owner’s: nothing is written, and it outlives us', async () => {
  const place = await settle('unmarked')
  const path = serviceAccountPath(place.namespace)
  await lab.patch(path, { metadata: { annotations: { [managedAnnotation]: null } } })
  await lab.client.delete(secretPath(place.namespace))
  await eventually(async () => expect(await lab.logins(place.namespace)).toEqual({ 'ghcr.io': login }))
  await eventually(async () => expect(await writes(place)).toEqual(['patch secrets done']))
  await lab.label(place.namespace, { 'regcred.dev/opt-out': 'true' })
  await eventually(async () => expect(await lab.secret(place.namespace)).toBeNull())
  expect(await lab.references(place.namespace)).toEqual(['own', 'regcred', 'another'])
})
