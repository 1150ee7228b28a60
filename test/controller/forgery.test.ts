/**
 * What somebody who may write Secrets and ServiceAccounts in one namespace can forge there, by accident or on purpose: it
 * gets them no entry of a credential that is not for them, and spoils nothing for anybody else.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, type Secret, serviceAccountPath } from './lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'

let lab: Lab
const operator = new Restarts()

beforeAll(async () => {
  lab = new Lab()
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

function login(password: string): Login {
  return { username: 'robot', password }
}

/** A credential with a source of its own, for these namespaces. */
async function credentialFor(name: string, password: string, ...include: string[]): Promise<string> {
  const source = await lab.source(name, { [`${name}.example.com`]: login(password) })
  const namespaces = { include, optIn: true }
  return await lab.credential(name, { source: { secretRef: { name: source } }, namespaces })
}

async function servedCopy(namespace: string): Promise<Secret> {
  return await eventually(async () => {
    expect(await lab.references(namespace)).toEqual(['regcred'])
    return await lab.secret(namespace)
  })
}

/** The Secret of another namespace with all of its marks, written under any field manager. */
async function copyTo(namespace: string, copy: Secret, fieldManager = 'kubectl-create'): Promise<Secret> {
  const { labels, annotations, ownerReferences } = copy.metadata
  const path = `/api/v1/namespaces/${namespace}/secrets`
  const metadata = { name: 'regcred', labels, annotations, ownerReferences }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: copy.type, data: copy.data }
  return await lab.client.create<Secret>(path, secret, { fieldManager })
}

describe('a copy of a Secret of ours from another namespace', () => {
  test('is not ours: it is reported where ours should be, and otherwise left alone', async () => {
    const [origin, target, free] = [
      await lab.namespace('copied'),
      await lab.namespace('copied-to'),
      await lab.namespace('copied-free'),
    ]
    const credential = await credentialFor('copied', 'p4ssw0rd-of-copied', origin)
    const copy = await servedCopy(origin)
    const [inTarget, inFree] = [await copyTo(target, copy), await copyTo(free, copy)]
    await lab.label(target, { [`use.regcred.dev/${credential}`]: 'true' })
    await eventually(async () => {
      const { status } = await lab.readCredential(credential)
      expect(status?.failures).toEqual([expect.objectContaining({ namespace: target, reason: 'NotOwned' })])
    })
    await lab.label(target, { [`use.regcred.dev/${credential}`]: null })
    await lab.ready(credential)
    expect((await lab.secret(target))?.metadata.resourceVersion).toBe(inTarget.metadata.resourceVersion)
    expect((await lab.secret(free))?.metadata.resourceVersion).toBe(inFree.metadata.resourceVersion)
    expect(await lab.references(target)).toEqual([])
  })
})

/** Every mark that can be forged: label, mark, ownerReferences and our field manager. */
for (const [when, seen] of [
  ['seen as it happens', (work: () => Promise<void>) => work()],
  ['found at the start', (work: () => Promise<void>) => operator.whileDown(work)],
] as const) {
  test(
    `a Secret that claims credentials that are not for its namespace does not get their entries, ${when}`,
    async () => {
      const unique = (name: string) => `${name}-${when.slice(0, 4)}`
      const [origin, forger] = [await lab.namespace(unique('claim-origin')), await lab.namespace(unique('claim'))]
      const asleep = await credentialFor(unique('claim-asleep'), 'p4ssw0rd-not-for-forgers', origin)
      const awake = await credentialFor(unique('claim-awake'), 'p4ssw0rd-for-all', origin)
      await eventually(async () => expect(Object.keys((await lab.logins(origin)) ?? {})).toHaveLength(2))
      const copy = await servedCopy(origin)
      await lab.patchCredential(asleep, { suspend: true })
      await lab.condition(asleep, 'Ready', 'True')
      await seen(async () => void (await copyTo(forger, copy, 'regcred-operator')))
      await eventually(async () => expect(await lab.secret(forger)).toBeNull())
      await seen(async () => {
        await copyTo(forger, copy, 'regcred-operator')
        await lab.label(forger, { [`use.regcred.dev/${awake}`]: 'true' })
      })
      const own = { [`${unique('claim-awake')}.example.com`]: login('p4ssw0rd-for-all') }
      await eventually(async () => {
        expect(await lab.logins(forger)).toEqual(own)
        expect(await lab.references(forger)).toEqual(['regcred'])
      })
      await eventually(async () => expect((await lab.ready(awake)).status?.namespaces?.summary).toBe('2/2'))
      expect(Object.keys((await lab.logins(origin)) ?? {})).toHaveLength(2)
    },
    RESTART_TIMEOUT_MS,
  )
}

test('names that somebody writes into our annotation cost nobody else anything', async () => {
  const namespace = await lab.namespace('names')
  const credential = await credentialFor('names', 'p4ssw0rd-of-names', namespace)
  await servedCopy(namespace)
  const forge = async (managed: string, ...pullSecrets: string[]) =>
    await lab.patch(serviceAccountPath(namespace), {
      metadata: { annotations: { 'regcred.dev/managed': managed } },
      imagePullSecrets: pullSecrets.map((name) => ({ name })),
    })
  await forge(`own,${Array.from({ length: 20_000 }, (_, index) => `n-${index}`).join()}`, 'own')
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own', 'regcred']))
  expect((await lab.serviceAccount(namespace))?.metadata.annotations?.['regcred.dev/managed']).toBe('regcred')
  await forge('regcred,own', 'own', 'theirs', 'regcred')
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['theirs', 'regcred']))
  await lab.ready(credential)
  await lab.deleteCredential(credential)
  await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
  expect(await lab.references(namespace)).toEqual(['theirs'])
})
