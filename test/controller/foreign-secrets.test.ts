/**
 * Secrets that have the name of ours and are not ours: left alone byte for byte, reported, taken over only where their
 * owner says so; and sources, which must survive whatever marks they carry.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ApiError } from '../../src/kube/api-error.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, operatorNamespace, type Secret, secretPath } from './lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'

let lab: Lab
let source: string
const operator = new Restarts()
const login = { username: 'robot', password: 'p4ssw0rd-of-foreign' }

beforeAll(async () => {
  lab = new Lab()
  source = await lab.source('foreign', { 'ghcr.io': login })
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

/** As `kubectl create secret docker-registry` writes it, byte for byte. */
function dockerConfig({ username, password }: Login): Record<string, string> {
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  return { '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': { username, password, auth } } }) }
}

interface Foreign {
  type: string
  stringData: Record<string, string>
  immutable?: boolean
  metadata?: object
}

const dockerConfigJson: Foreign = {
  type: 'kubernetes.io/dockerconfigjson',
  stringData: dockerConfig({ username: 'mine', password: 'my-own' }),
}

async function createForeign(namespace: string, { metadata, ...secret }: Foreign): Promise<Secret> {
  return await lab.create(`/api/v1/namespaces/${namespace}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    ...secret,
    metadata: { name: 'regcred', ...metadata },
  })
}

/** A credential for the namespaces that opt in, and the label by which they do. */
async function credentialAndLabel(name: string, from = source): Promise<[string, Record<string, string>]> {
  const credential = await lab.credential(name, { source: { secretRef: { name: from } } })
  return [credential, { [`use.regcred.dev/${credential}`]: 'true' }]
}

/** Waits until the credential reports these failures, as `namespace reason`, and is done with everything else. */
async function fails(credential: string, failures: string[]): Promise<string> {
  return await eventually(
    async () => {
      const { status } = await lab.readCredential(credential)
      expect(status?.failures?.map(({ namespace, reason }) => `${namespace} ${reason}`)).toEqual([...failures].sort())
      expect(status?.namespaces?.failed).toBe(failures.length)
      expect((status?.namespaces?.synced ?? 0) + failures.length).toBe(status?.namespaces?.selected)
      return status?.failures?.[0]?.message ?? ''
    },
    { describe: `${failures.join(', ')} in the status of ${credential}` },
  )
}

async function served(namespace: string): Promise<Secret> {
  return await eventually(
    async () => {
      expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login })
      expect(await lab.references(namespace)).toEqual(['regcred'])
      return await lab.secret(namespace)
    },
    { describe: `Secret and reference in ${namespace}` },
  )
}

const kinds: Record<string, Foreign> = {
  opaque: { type: 'Opaque', stringData: { password: 'my-own' } },
  'same-shape': dockerConfigJson,
  'same-data': { ...dockerConfigJson, stringData: dockerConfig(login) },
  dockercfg: { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': '{}' } },
  'basic-auth': { type: 'kubernetes.io/basic-auth', stringData: { username: 'mine', password: 'my-own' } },
  immutable: { ...dockerConfigJson, immutable: true },
  'other-manager': { ...dockerConfigJson, metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
}

describe('a foreign Secret', () => {
  test('of any type stays as it is and is reported, while the other namespaces are served', async () => {
    const [credential, labels] = await credentialAndLabel('kinds')
    const foreign = new Map<string, Secret>()
    for (const [name, secret] of Object.entries(kinds)) {
      const namespace = await lab.namespace(name)
      foreign.set(namespace, await createForeign(namespace, secret))
      await lab.label(namespace, labels)
    }
    const good = await lab.namespace('good', labels)
    await served(good)
    const message = await fails(
      credential,
      [...foreign.keys()].map((namespace) => `${namespace} NotOwned`),
    )
    expect(message).toContain('Secret regcred is not managed by this operator and is left alone')
    await lab.rotate(source, { 'ghcr.io': { ...login, password: 'rotated' } })
    await eventually(async () => expect((await lab.logins(good))?.['ghcr.io']?.password).toBe('rotated'))
    await lab.rotate(source, { 'ghcr.io': login })
    await served(good)
    for (const [namespace, secret] of foreign) {
      expect(await lab.secret(namespace)).toEqual({ ...secret, apiVersion: 'v1', kind: 'Secret' })
      expect(await lab.references(namespace)).toEqual([])
      const warning = expect.objectContaining({ reason: 'NotOwned', type: 'Warning' })
      await eventually(async () => expect(await lab.events('regcred', namespace)).toEqual([warning]))
    }
    await eventually(async () => {
      const told = (await lab.events(credential)).filter(({ reason }) => reason === 'NotOwned').map(({ note }) => note)
      expect(told.sort()).toEqual(
        [...foreign.keys()]
          .sort()
          .map((each) => `Secret ${each}/regcred is not managed by the operator and is left alone.`),
      )
    })
  })

  test('makes way for ours at once when it is deleted', async () => {
    const namespace = await lab.namespace('cleared')
    await createForeign(namespace, dockerConfigJson)
    const [credential, labels] = await credentialAndLabel('cleared')
    await lab.label(namespace, labels)
    await fails(credential, [`${namespace} NotOwned`])
    await lab.client.delete(secretPath(namespace))
    await served(namespace)
    await lab.ready(credential)
  })

  test('keeps no credential from being taken out of its namespace, nor from being deleted', async () => {
    const [namespace, other] = [await lab.namespace('stays'), await lab.namespace('stays-2')]
    const secret = await createForeign(namespace, dockerConfigJson)
    await createForeign(other, dockerConfigJson)
    const [remaining, labels] = await credentialAndLabel('stays')
    const [leaving, labelsOfLeaving] = await credentialAndLabel('leaves')
    for (const each of [namespace, other]) await lab.label(each, { ...labels, ...labelsOfLeaving })
    const both = [`${namespace} NotOwned`, `${other} NotOwned`]
    await fails(remaining, both)
    await fails(leaving, both)
    await lab.label(other, { [`use.regcred.dev/${leaving}`]: null })
    await fails(leaving, [`${namespace} NotOwned`])
    await lab.deleteCredential(leaving)
    await eventually(async () => await expect(lab.readCredential(leaving)).rejects.toThrow('not found'))
    await fails(remaining, both)
    expect((await lab.secret(namespace))?.metadata.resourceVersion).toBe(secret.metadata.resourceVersion)
  })

  test('that is made in the moment when the operator makes its own is never overwritten', async () => {
    const [credential, labels] = await credentialAndLabel('race')
    const variants = [dockerConfigJson, kinds['same-data'], kinds.opaque].filter((each) => each !== undefined)
    const created = new Map<string, Secret>()
    const ours: string[] = []
    for (let index = 0; index < 30; index++) {
      const namespace = await lab.namespace(`race-${index}`, labels)
      try {
        created.set(namespace, await createForeign(namespace, variants[index % variants.length] ?? dockerConfigJson))
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error
        ours.push(namespace)
      }
    }
    for (const namespace of ours) await served(namespace)
    await eventually(async () => {
      const { status } = await lab.readCredential(credential)
      expect(status?.namespaces).toMatchObject({ selected: 30, synced: ours.length, failed: created.size })
    })
    for (const [namespace, secret] of created) {
      expect(await lab.secret(namespace)).toEqual({ ...secret, apiVersion: 'v1', kind: 'Secret' })
      expect(await lab.references(namespace)).toEqual([])
    }
    expect(created.size).toBeGreaterThan(0)
  })
})

describe('adoption', () => {
  const adopt = { annotations: { 'regcred.dev/adopt': 'true' } }

  test('takes a Secret of the right type over in place, data and all', async () => {
    const namespace = await lab.namespace('adopted')
    const metadata = { labels: { theirs: 'kept' }, annotations: { theirs: 'kept' } }
    const foreign = await createForeign(namespace, { ...dockerConfigJson, metadata })
    const [credential, labels] = await credentialAndLabel('adopted')
    await lab.label(namespace, labels)
    await fails(credential, [`${namespace} NotOwned`])
    await lab.patch(secretPath(namespace), { metadata: adopt })
    const secret = await served(namespace)
    expect(secret.metadata.uid).toBe(foreign.metadata.uid)
    expect(secret.metadata.labels).toEqual({ theirs: 'kept', 'app.kubernetes.io/managed-by': 'regcred-operator' })
    expect(secret.metadata.annotations).toMatchObject({ theirs: 'kept', 'regcred.dev/mark': expect.any(String) })
    expect(secret.metadata.ownerReferences?.map(({ name }) => name)).toEqual([credential])
    await lab.ready(credential)
    await lab.deleteCredential(credential)
    await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
  })

  test('of a Secret with the very same data makes it ours as well', async () => {
    const namespace = await lab.namespace('adopted-same')
    const foreign = await createForeign(namespace, {
      ...dockerConfigJson,
      stringData: dockerConfig(login),
      metadata: adopt,
    })
    const [credential, labels] = await credentialAndLabel('adopted-same')
    await lab.label(namespace, labels)
    expect((await served(namespace)).metadata.uid).toBe(foreign.metadata.uid)
    await lab.ready(credential)
  })

  test('of a Secret of another type, or an immutable one, fails with a reason and changes nothing', async () => {
    const wrong = {
      'adopt-opaque': { type: 'Opaque', stringData: { password: 'my-own' }, metadata: adopt },
      'adopt-immutable': { ...dockerConfigJson, immutable: true, metadata: adopt },
    }
    const [credential, labels] = await credentialAndLabel('adopt-wrong')
    const foreign = new Map<string, Secret>()
    for (const [name, secret] of Object.entries(wrong)) {
      const namespace = await lab.namespace(name)
      foreign.set(namespace, await createForeign(namespace, secret))
      await lab.label(namespace, labels)
    }
    await fails(
      credential,
      [...foreign.keys()].map((namespace) => `${namespace} Invalid`),
    )
    const { status } = await lab.readCredential(credential)
    expect(status?.failures?.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /Secret "regcred" is invalid: .*field is immutable when `immutable` is set; delete Secret regcred/,
      ),
      expect.stringMatching(/Secret "regcred" is invalid: type: .*field is immutable; delete Secret regcred/),
    ])
    for (const [namespace, secret] of foreign) {
      expect(await lab.secret(namespace)).toEqual({ ...secret, apiVersion: 'v1', kind: 'Secret' })
      expect(await lab.references(namespace)).toEqual([])
      await lab.client.delete(secretPath(namespace))
      await served(namespace)
    }
    await lab.ready(credential)
  })
})

test(
  'a source is neither written nor deleted, whatever marks it carries and whichever credentials come and go',
  async () => {
    const [copied, labels] = await credentialAndLabel('copied')
    const copy = await served(await lab.namespace('copied', labels))
    const { labels: marks, annotations } = copy.metadata
    const [reading, labelsOfReading] = await credentialAndLabel('reading', 'regcred')
    // As `kubectl get secret regcred -o yaml` in a namespace that has one, and `kubectl apply -n regcred-system`.
    const secret = await createForeign(operatorNamespace, {
      type: copy.type,
      stringData: dockerConfig(login),
      metadata: { labels: marks, annotations },
    })
    const untouched = async () =>
      expect(await lab.secret(operatorNamespace)).toEqual({ ...secret, apiVersion: 'v1', kind: 'Secret' })
    await served(await lab.namespace('reading', labelsOfReading))
    const own = { namespaces: { include: [operatorNamespace] } }
    await lab.patchCredential(copied, own)
    await lab.patchCredential(reading, own)
    await fails(copied, [`${operatorNamespace} SourceSecret`])
    await fails(reading, [`${operatorNamespace} SourceSecret`])
    await untouched()
    for (const credential of [copied, reading]) {
      await lab.deleteCredential(credential)
      await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
    }
    await untouched()
    await operator.whileDown(async () => {})
    const [again, labelsOfAgain] = await credentialAndLabel('reading-again', 'regcred')
    await served(await lab.namespace('reading-again', labelsOfAgain))
    await lab.ready(again)
    await untouched()
    await lab.client.delete(secretPath(operatorNamespace))
  },
  RESTART_TIMEOUT_MS,
)
