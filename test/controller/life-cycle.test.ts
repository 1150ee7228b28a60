/**
 * What a change of a credential leaves behind: exactly what the design says, whether the operator sees the change happen
 * or finds it when it starts.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { secretPath, serviceAccountPath } from './lab.ts'
import { auths, type LifeCycleLab, login } from './life-cycle-lab.ts'
import { bothWays, startWithTwoNames } from './life-cycle-operator.ts'
import { RESTART_TIMEOUT_MS, type Restarts } from './restarts.ts'

let lab: LifeCycleLab
let operator: Restarts
/** The second Secret name that the operator may write. */
let other: string

beforeAll(async () => {
  ;({ lab, operator, other } = await startWithTwoNames())
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

const modes = bothWays(() => operator)

describe.each(modes)('%s:', (_, mode, during) => {
  const scenario = (name: string, work: () => Promise<void>) => test(name, work, RESTART_TIMEOUT_MS)
  const unique = (name: string) => `${mode}-${name}`

  scenario('another secretName takes the old Secret and reference away, and back again', async () => {
    const namespace = await lab.namespaceWithOwnReference(unique('rename'))
    const { credential } = await lab.credentialFor(unique('rename'), [namespace])
    await lab.served(namespace, { references: ['own', 'regcred'] })
    await during(() => lab.patchCredential(credential, { secretName: other }))
    await lab.served(namespace, { secret: other, references: ['own', other] })
    await lab.noSecret(namespace)
    await during(() => lab.patchCredential(credential, { secretName: 'regcred' }))
    await lab.served(namespace, { references: ['own', 'regcred'] })
    await lab.noSecret(namespace, other)
    await lab.ready(credential)
  })

  scenario('a secretName that is not allowed stalls the credential, and what was there stays', async () => {
    const namespace = await lab.namespace(unique('forbidden'))
    const { credential, source } = await lab.credentialFor(unique('forbidden'), [namespace])
    await lab.served(namespace)
    const before = [await lab.secret(namespace), await lab.serviceAccount(namespace)]
    await during(async () => {
      await lab.patchCredential(credential, { secretName: 'forbidden' })
      if (mode === 'up') await lab.condition(credential, 'Stalled', 'True')
      await lab.rotate(source, { 'ghcr.io': { ...login, password: 'rotated' } })
    })
    const { status } = await lab.condition(credential, 'Stalled', 'True')
    expect(status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Ready SecretNameNotAllowed',
      'Stalled SecretNameNotAllowed',
    ])
    await lab.allQuiet(unique('forbidden-quiet'))
    expect([await lab.secret(namespace), await lab.serviceAccount(namespace)]).toEqual(before)
    await lab.patchCredential(credential, { secretName: other })
    await lab.served(namespace, { secret: other, logins: { 'ghcr.io': { ...login, password: 'rotated' } } })
    await lab.noSecret(namespace)
  })

  scenario('another selection takes Secret and reference out of the one namespace and into the other', async () => {
    const [from, to, stays] = [
      await lab.namespaceWithOwnReference(unique('from')),
      await lab.namespace(unique('to')),
      await lab.namespace(unique('stays')),
    ]
    const { credential } = await lab.credentialFor(unique('selection'), [from, stays])
    await lab.served(stays)
    const before = await lab.secret(stays)
    await during(() => lab.patchCredential(credential, { namespaces: { include: [to, stays] } }))
    await lab.served(to)
    await lab.clean(from, { references: ['own'] })
    expect(await lab.secret(stays)).toEqual(before)
    await during(() => lab.patchCredential(credential, { namespaces: null }))
    await lab.clean(to)
    await lab.clean(stays)
    const { status } = await lab.ready(credential)
    expect(status?.namespaces?.summary).toBe('0/0')
  })

  scenario('another list of ServiceAccounts moves the references and leaves the Secret', async () => {
    const namespace = await lab.namespaceWithOwnReference(unique('accounts'))
    const builder = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder' } }
    await lab.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, builder)
    const { credential } = await lab.credentialFor(unique('accounts'), [namespace])
    const before = await lab.secret(namespace)
    const steps: [string[], string[], string[]][] = [
      [['builder'], ['own'], ['regcred']],
      [[], ['own'], []],
      [['*'], ['own', 'regcred'], ['regcred']],
    ]
    for (const [serviceAccounts, ofDefault, ofBuilder] of steps) {
      await during(() => lab.patchCredential(credential, { serviceAccounts }))
      await lab.served(namespace, { references: ofDefault })
      await lab.served(namespace, { account: 'builder', references: ofBuilder })
    }
    const { status } = await lab.ready(credential)
    expect(status?.serviceAccounts).toEqual({ selected: 2, linked: 2 })
    expect(await lab.secret(namespace)).toEqual(before)
  })

  scenario('while it is suspended nothing is written or mended; afterwards all is caught up with', async () => {
    const [namespace, late] = [await lab.namespace(unique('asleep')), await lab.namespace(unique('asleep-late'))]
    const unlinked = await lab.namespace(unique('asleep-unlinked'))
    const { credential, source } = await lab.credentialFor(unique('asleep'), [namespace, unlinked])
    await lab.served(namespace)
    await lab.served(unlinked)
    let since = new Date()
    await during(async () => {
      await lab.patchCredential(credential, { suspend: true })
      if (mode === 'up') await lab.suspended(credential)
      since = new Date()
      await lab.client.delete(secretPath(namespace))
      await lab.patch(serviceAccountPath(unlinked), { imagePullSecrets: null })
      await lab.label(late, { [`use.regcred.dev/${credential}`]: 'true' })
      await lab.rotate(source, { 'quay.io': login })
      await lab.patchCredential(credential, { serviceAccounts: ['*'], priority: 3 })
    })
    await lab.suspended(credential)
    await lab.allQuiet(unique('asleep-quiet'))
    for (const each of [namespace, late, unlinked]) expect(await lab.writesTo(each, since)).toEqual([])
    expect(await lab.logins(unlinked)).toEqual(auths)
    await during(() => lab.patchCredential(credential, { suspend: false }))
    for (const each of [namespace, late, unlinked]) await lab.served(each, { logins: { 'quay.io': login } })
    await lab.ready(credential)
  })

  scenario('a finalizer that was removed comes back, and nothing else is touched', async () => {
    const namespace = await lab.namespace(unique('finalizer'))
    const { credential } = await lab.credentialFor(unique('finalizer'), [namespace])
    await lab.served(namespace)
    const before = [await lab.secret(namespace), await lab.serviceAccount(namespace)]
    await during(() => lab.setFinalizers(credential, null))
    await eventually(async () => {
      const { metadata } = await lab.readCredential(credential)
      expect(metadata.finalizers).toEqual(['regcred.dev/references'])
    })
    await lab.allQuiet(unique('finalizer-quiet'))
    expect([await lab.secret(namespace), await lab.serviceAccount(namespace)]).toEqual(before)
  })
})

test('a namespace that leaves the selection in the moment when it is first served is clean in the end', async () => {
  const include = [`${lab.unique('moment-*')}`]
  const { credential } = await lab.credentialFor('moment', include)
  const exclude: string[] = []
  for (let index = 0; index < 20; index++) {
    exclude.push(await lab.namespace(`moment-${index}`))
    await lab.patchCredential(credential, { namespaces: { include, exclude } })
  }
  const { status } = await lab.ready(credential)
  expect(status?.namespaces?.summary).toBe('0/0')
  for (const namespace of exclude) await lab.clean(namespace)
})

test('a namespace that is first served in the moment when its credential is deleted is clean in the end', async () => {
  for (let index = 0; index < 10; index++) {
    const { credential } = await lab.credentialFor(`moment-of-end-${index}`, [lab.unique(`end-${index}`)])
    const namespace = await lab.namespace(`end-${index}`)
    await lab.deleteCredential(credential)
    await lab.gone(credential)
    expect(await lab.secret(namespace)).toBeNull()
    expect(await lab.references(namespace)).toEqual([])
  }
})
