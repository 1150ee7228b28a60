/**
 * What somebody who may write Secrets and ServiceAccounts in one namespace can forge there, by accident or on purpose: it
 * gets them no entry of a credential that is not for them, and spoils nothing for anybody else.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, type Secret, secretPath, serviceAccountPath } from './lab.ts'
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
      await lab.ready(asleep)
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

test('an old mark that was put back brings no login of a credential that is not for the namespace any more', async () => {
  const [namespace, other] = [await lab.namespace('replay'), await lab.namespace('replay-other')]
  const narrowed = await credentialFor('replay-narrowed', 'p4ssw0rd-of-narrowed', namespace, other)
  const staying = await credentialFor('replay-staying', 'p4ssw0rd-of-staying', namespace)
  await eventually(async () => expect(Object.keys((await lab.logins(namespace)) ?? {})).toHaveLength(2))
  const { metadata } = await servedCopy(namespace)
  await lab.patchCredential(narrowed, { namespaces: { include: [other] } })
  const alone = ['replay-staying.example.com']
  await eventually(async () => expect(Object.keys((await lab.logins(namespace)) ?? {})).toEqual(alone))
  await lab.patchCredential(narrowed, { suspend: true })
  await eventually(async () => {
    const { status, metadata } = await lab.readCredential(narrowed)
    expect(status?.observedGeneration).toBe(metadata.generation)
  })
  const before = await lab.secret(namespace)
  await lab.patch(secretPath(namespace), { metadata: { annotations: metadata.annotations } })
  await eventually(async () => {
    const now = await lab.secret(namespace)
    expect(now?.metadata.annotations).toEqual(before?.metadata.annotations)
    expect(Object.keys((await lab.logins(namespace)) ?? {})).toEqual(alone)
  })
  await lab.ready(staying)
})

describe('the end of a credential is not held up', () => {
  test.each(['Opaque', 'kubernetes.io/service-account-token'])(
    'by a Secret of type %s with our marks that is to be left',
    async (type) => {
      const namespace = await lab.namespace(`left-${type.length}`)
      const credential = await credentialFor(`left-${type.length}`, 'p4ssw0rd-of-left', namespace)
      await lab.patchCredential(credential, { deletionPolicy: 'Orphan' })
      const copy = await servedCopy(namespace)
      await lab.ready(credential)
      await operator.whileDown(async () => {
        await lab.client.delete(secretPath(namespace))
        const marks = { ...copy.metadata.annotations, 'kubernetes.io/service-account.name': 'default' }
        await copyTo(
          namespace,
          { ...copy, metadata: { ...copy.metadata, annotations: marks }, type },
          'regcred-operator',
        )
        await lab.deleteCredential(credential)
      })
      await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
      expect((await lab.secret(namespace))?.metadata.annotations).not.toHaveProperty(['regcred.dev/mark'])
    },
    RESTART_TIMEOUT_MS,
  )

  test('by a name in our annotation that the guard reads in another way', async () => {
    const namespace = await lab.namespace('other-space')
    const credential = await credentialFor('other-space', 'p4ssw0rd-of-other-space', namespace)
    await servedCopy(namespace)
    await lab.ready(credential)
    const annotations = { 'regcred.dev/managed': '\ufeffold,regcred' }
    const imagePullSecrets = [{ name: 'old' }, { name: 'regcred' }]
    await lab.patch(serviceAccountPath(namespace), { metadata: { annotations }, imagePullSecrets })
    await lab.deleteCredential(credential)
    await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
    expect(await lab.references(namespace)).toEqual(['old'])
  })
})

test(
  'one of ours that was restored under another type is made anew when its data have to change',
  async () => {
    const namespace = await lab.namespace('other-type')
    const name = await credentialFor('other-type', 'p4ssw0rd-of-other-type', namespace)
    const copy = await servedCopy(namespace)
    await lab.ready(name)
    await operator.whileDown(async () => {
      await lab.client.delete(secretPath(namespace))
      await copyTo(namespace, { ...copy, type: 'Opaque' }, 'regcred-operator')
      const source = lab.unique('other-type')
      await lab.rotate(source, { 'other-type.example.com': login('p4ssw0rd-that-is-new') })
    })
    await eventually(async () => {
      expect(await lab.logins(namespace)).toEqual({ 'other-type.example.com': login('p4ssw0rd-that-is-new') })
    })
    expect((await lab.secret(namespace))?.type).toBe('kubernetes.io/dockerconfigjson')
  },
  RESTART_TIMEOUT_MS,
)

test('a ServiceAccount with more pull Secrets than anybody needs is left alone and reported', async () => {
  const namespace = await lab.namespace('many')
  const imagePullSecrets = Array.from({ length: 300 }, (_, index) => ({ name: `n-${index}` }))
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets })
  const credential = await credentialFor('many', 'p4ssw0rd-of-many', namespace)
  await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.failures).toEqual([expect.objectContaining({ namespace, reason: 'TooManyPullSecrets' })])
  })
  expect(await lab.references(namespace)).toHaveLength(300)
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: imagePullSecrets.slice(0, 3) })
  await lab.ready(credential)
  expect(await lab.references(namespace)).toEqual(['n-0', 'n-1', 'n-2', 'regcred'])
})

describe('the owner of a namespace that two credentials share does not hold the end of one of them', () => {
  async function shared(name: string): Promise<{ namespace: string; ending: string; staying: string }> {
    const namespace = await lab.namespace(name)
    const ending = await credentialFor(`${name}-ending`, 'p4ssw0rd-that-ends', namespace)
    const staying = await credentialFor(`${name}-staying`, 'p4ssw0rd-that-stays', namespace)
    await eventually(async () => expect(Object.keys((await lab.logins(namespace)) ?? {})).toHaveLength(2))
    await servedCopy(namespace)
    return { namespace, ending, staying }
  }

  async function ends(ending: string): Promise<void> {
    await lab.deleteCredential(ending)
    await eventually(async () => await expect(lab.readCredential(ending)).rejects.toThrow('not found'))
  }

  test('by annotations that leave no room for our mark', async () => {
    const { namespace, ending, staying } = await shared('filled')
    const { annotations = {} } = (await lab.secret(namespace))?.metadata ?? {}
    const taken = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    const mark = 'regcred.dev/mark'
    const room = 256 * 1024 - taken + mark.length + (annotations[mark]?.length ?? 0)
    const fill = { [mark]: null, fill: 'x'.repeat(room - 'fill'.length) }
    await lab.patch(secretPath(namespace), { metadata: { annotations: fill } })
    await ends(ending)
    await lab.ready(staying)
    expect(Object.keys((await lab.logins(namespace)) ?? {})).toEqual(['filled-staying.example.com'])
  })

  test('by a finalizer on a Secret that is being deleted', async () => {
    const { namespace, ending } = await shared('lingers')
    await lab.patch(secretPath(namespace), { metadata: { finalizers: ['example.com/mine'] } })
    await lab.client.delete(secretPath(namespace))
    await ends(ending)
    await lab.patch(secretPath(namespace), { metadata: { finalizers: null } })
  })

  test('by a forged mark that names one whose source was never there', async () => {
    const { namespace, ending, staying } = await shared('waits')
    const never = await lab.credential('waits-never', {
      source: { secretRef: { name: 'never-there' } },
      namespaces: { include: [namespace], optIn: true },
    })
    const uids = await Promise.all([ending, never].map(async (name) => (await lab.readCredential(name)).metadata.uid))
    const copy = await servedCopy(namespace)
    const annotations = { 'regcred.dev/mark': `0:${uids.join()}:0` }
    await lab.client.delete(secretPath(namespace))
    await copyTo(namespace, { ...copy, metadata: { ...copy.metadata, annotations } }, 'regcred-operator').catch(
      () => {},
    )
    await ends(ending)
    await eventually(async () =>
      expect(Object.keys((await lab.logins(namespace)) ?? {})).toEqual(['waits-staying.example.com']),
    )
    await lab.ready(staying)
  })
})

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
