/**
 * What becomes of a source Secret: the docker config of each type of source, and the conditions of those that cannot be
 * used, while the last good login stays where it is.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { maxSecretBytes } from '../../src/model/docker-config.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, type Secret } from './lab.ts'
import { auths, base64, dockerConfigType, entry, type Texts, unusable, usable } from './source-cases.ts'

let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator({ args: ['--log-level=debug'] })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const secrets = `/api/v1/namespaces/${operatorNamespace}/secrets`

async function createSource(name: string, type: string, texts: Texts): Promise<void> {
  await lab.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, data: encoded(texts) })
}

/** Replaces all of its data. */
async function writeSource(name: string, texts: Texts): Promise<void> {
  const { data = {} } = await lab.client.get<Secret>(`${secrets}/${name}`)
  const dropped = Object.fromEntries(Object.keys(data).map((key) => [key, null]))
  await lab.patch(`${secrets}/${name}`, { data: { ...dropped, ...encoded(texts) } })
}

function encoded(texts: Texts): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, base64(text)]))
}

/** A namespace of its own and a credential for it alone; their names. */
async function serve(name: string, source: string, registries?: string[]): Promise<[string, string]> {
  const namespace = await lab.namespace(name)
  const credential = await lab.credential(name, {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
    ...(registries && { registries }),
  })
  return [namespace, credential]
}

/** The document in the target Secret, which must be there. */
async function dockerConfig(namespace: string): Promise<unknown> {
  const secret = await eventually(() => lab.secret(namespace))
  expect(secret.type).toBe('kubernetes.io/dockerconfigjson')
  expect(Object.keys(secret.data ?? {})).toEqual(['.dockerconfigjson'])
  return JSON.parse(Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString())
}

test.each(usable)('a source can be a $name', async (kind) => {
  const name = `usable-${usable.indexOf(kind)}`
  await createSource(lab.unique(name), kind.type, kind.texts)
  const [namespace, credential] = await serve(name, lab.unique(name), kind.registries)
  const { status } = await lab.ready(credential)
  expect(await dockerConfig(namespace)).toEqual({ auths: kind.expected })
  expect(status?.credential?.registries).toEqual(Object.keys(kind.expected).sort())
})

test.each(unusable)('$name is refused, the last good login stays, and mending it heals', async (kind) => {
  const name = `unusable-${unusable.indexOf(kind)}`
  const source = lab.unique(name)
  await createSource(source, kind.type, kind.good)
  const [namespace, credential] = await serve(name, source, kind.registries)
  await lab.ready(credential)
  const before = await lab.secret(namespace)
  expect(await dockerConfig(namespace)).toEqual({ auths: { 'ghcr.io': entry('robot', 'good-before') } })

  await writeSource(source, kind.bad)
  const refused = await lab.condition(credential, 'Stalled', 'True')
  expect(conditionsOf(refused)).toEqual({
    Ready: ['False', 'SourceInvalid', expect.stringMatching(kind.told)],
    Stalled: ['True', 'SourceInvalid', expect.stringMatching(kind.told)],
  })
  expect(conditionsOf(refused).Ready?.[2]).toContain(source)
  expect(refused.status?.namespaces).toMatchObject({ selected: 1, failed: 0 })
  const isWarning = ({ type }: { type: string }) => type === 'Warning'
  const event = await eventually(async () => (await lab.events(credential)).find(isWarning) ?? null)
  expect(event).toMatchObject({ reason: 'SourceInvalid', note: expect.stringMatching(kind.told) })
  for (const text of kind.hidden) {
    expect(JSON.stringify([refused, await lab.events(credential)])).not.toContain(text)
    expect(operator.logs()).not.toContain(text)
  }
  expect(await lab.secret(namespace)).toEqual(before)
  expect(await lab.references(namespace)).toEqual(['regcred'])

  const isConfig = kind.type === dockerConfigType
  const login = { username: 'robot', password: 'good-after' }
  await writeSource(source, isConfig ? auths({ 'ghcr.io': login }) : login)
  expect(conditionsOf(await lab.ready(credential))).toEqual({ Ready: ['True', 'Succeeded', expect.any(String)] })
  expect(await dockerConfig(namespace)).toEqual({ auths: { 'ghcr.io': entry('robot', 'good-after') } })
  expect((await lab.secret(namespace))?.metadata.uid).toBe(before?.metadata.uid)
})

test('the API server takes no Secret that is a byte larger than the largest one of ours', async () => {
  const tooLarge = createSource(lab.unique('large'), 'Opaque', { all: 'x'.repeat(maxSecretBytes + 1) })
  await expect(tooLarge).rejects.toMatchObject({ code: 422, message: expect.stringContaining('1048576') })
})

test('a login needs registries, which the specification may bring later', async () => {
  const source = lab.unique('homeless')
  await createSource(source, 'kubernetes.io/basic-auth', { username: 'robot', password: 'hunter-homeless' })
  const [namespace, credential] = await serve('homeless', source)
  const refused = await lab.condition(credential, 'Stalled', 'True')
  expect(conditionsOf(refused)).toMatchObject({
    Ready: ['False', 'RegistriesRequired', expect.stringContaining('spec.registries')],
    Stalled: ['True', 'RegistriesRequired', expect.stringContaining('spec.registries')],
  })
  expect(await lab.secret(namespace)).toBeNull()
  await lab.patchCredential(credential, { registries: ['ghcr.io'] })
  await lab.ready(credential)
  expect(await dockerConfig(namespace)).toEqual({ auths: { 'ghcr.io': entry('robot', 'hunter-homeless') } })
})

test('a source that does not exist is waited for, and one that goes is replaced by nothing', async () => {
  const source = lab.unique('missing')
  const [namespace, credential] = await serve('missing', source)
  await eventually(async () =>
    expect(conditionsOf(await lab.readCredential(credential))).toEqual({
      Ready: ['False', 'SourceNotFound', expect.stringContaining(source)],
      Reconciling: ['True', 'SourceNotFound', expect.stringContaining(source)],
    }),
  )
  expect(await lab.secret(namespace)).toBeNull()
  expect(await lab.references(namespace)).toEqual([])

  await createSource(source, dockerConfigType, auths({ 'ghcr.io': entry('robot', 'good-before') }))
  await lab.ready(credential)
  const before = await lab.secret(namespace)
  await lab.client.delete(`${secrets}/${source}`)
  expect(conditionsOf(await lab.condition(credential, 'Reconciling', 'True'))).toMatchObject({
    Ready: ['False', 'SourceNotFound', expect.any(String)],
  })
  expect(await lab.secret(namespace)).toEqual(before)
  expect(await lab.references(namespace)).toEqual(['regcred'])

  await createSource(source, 'kubernetes.io/tls', { 'tls.crt': '', 'tls.key': 'hunter-type' })
  expect(conditionsOf(await lab.condition(credential, 'Stalled', 'True'))).toEqual({
    Ready: ['False', 'SourceInvalid', expect.stringContaining('its type is not one of')],
    Stalled: ['True', 'SourceInvalid', expect.stringContaining('its type is not one of')],
  })
  expect(await lab.secret(namespace)).toEqual(before)
  await lab.client.delete(`${secrets}/${source}`)
  await createSource(source, dockerConfigType, auths({ 'ghcr.io': entry('robot', 'good-after') }))
  await lab.ready(credential)
  expect(await dockerConfig(namespace)).toEqual({ auths: { 'ghcr.io': entry('robot', 'good-after') } })
})

test('a credential changes to another source, and its namespaces with it', async () => {
  const first = await lab.source('first', { 'ghcr.io': { username: 'robot', password: 'first-login' } })
  const second = await lab.source('second', { 'quay.io': { username: 'robot', password: 'second-login' } })
  const [namespace, credential] = await serve('other-source', first)
  await lab.ready(credential)
  await lab.patchCredential(credential, { source: { secretRef: { name: second } } })
  const { status } = await lab.ready(credential)
  expect(await dockerConfig(namespace)).toEqual({ auths: { 'quay.io': entry('robot', 'second-login') } })
  expect(status?.credential?.registries).toEqual(['quay.io'])
  await lab.rotate(first, { 'ghcr.io': { username: 'robot', password: 'no-longer-asked-for' } })
  await lab.rotate(second, { 'quay.io': { username: 'robot', password: 'third-login' } })
  await eventually(async () =>
    expect(await dockerConfig(namespace)).toEqual({ auths: { 'quay.io': entry('robot', 'third-login') } }),
  )
})

/** Type → status, reason and message. */
function conditionsOf({ status }: RegistryCredential): Record<string, [string, string, string]> {
  return Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status, reason, message }) => [type, [status, reason, message]]),
  )
}
