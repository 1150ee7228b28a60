/**
 * What the end of a credential leaves behind: nothing, or with Orphan everything but our marks; whether the operator sees
 * it happen or finds it when it starts.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { operatorNamespace } from './lab.ts'
import { auths, type LifeCycleLab, login } from './life-cycle-lab.ts'
import { refuseUpdates } from './life-cycle-objects.ts'
import { allow, bothWays, startWithTwoNames } from './life-cycle-operator.ts'
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

const scenario = (name: string, work: () => Promise<void>) => test(name, work, RESTART_TIMEOUT_MS)

describe.each(modes)('%s:', (_, mode, during) => {
  const unique = (name: string) => `${mode}-${name}`

  scenario('a credential that asks for a Secret name that is not allowed can be deleted', async () => {
    const namespace = await lab.namespace(unique('forbidden-end'))
    const { credential } = await lab.credentialFor(unique('forbidden-end'), [namespace])
    await lab.served(namespace)
    await during(async () => {
      await lab.patchCredential(credential, { secretName: 'forbidden' })
      if (mode === 'up') await lab.condition(credential, 'Stalled', 'True')
      await lab.deleteCredential(credential)
    })
    await lab.gone(credential)
    await lab.clean(namespace)
  })

  scenario('its deletion takes everything away, and nothing of anybody else', async () => {
    const [namespace, foreign] = [
      await lab.namespaceWithOwnReference(unique('end')),
      await lab.namespace(unique('end-f')),
    ]
    const secrets = `/api/v1/namespaces/${foreign}/secrets`
    const theirs = await lab.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'regcred' } })
    const source = await lab.source(unique('end'), auths)
    const credential = await lab.credential(unique('end'), {
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace, foreign], optIn: true },
    })
    await lab.served(namespace, { references: ['own', 'regcred'] })
    await during(() => lab.deleteCredential(credential))
    await lab.gone(credential)
    await lab.clean(namespace, { references: ['own'] })
    expect((await lab.secret(foreign))?.metadata.resourceVersion).toBe(theirs.metadata.resourceVersion)
    expect(await lab.secret(operatorNamespace, source)).not.toBeNull()
  })

  scenario('its deletion while it is suspended takes everything away as well', async () => {
    const namespace = await lab.namespace(unique('asleep-end'))
    const { credential } = await lab.credentialFor(unique('asleep-end'), [namespace])
    await lab.served(namespace)
    await during(async () => {
      await lab.patchCredential(credential, { suspend: true })
      if (mode === 'up') await lab.suspended(credential)
      await lab.deleteCredential(credential)
    })
    await lab.gone(credential)
    await lab.clean(namespace)
  })

  scenario(
    'one that is deleted takes its entries out of the Secret that others use, all of them the Secret',
    async () => {
      const namespace = await lab.namespace(unique('several'))
      const { credential: first } = await lab.credentialFor(unique('several-1'), [namespace])
      const { credential: second, source } = await lab.credentialFor(unique('several-2'), [namespace])
      const { credential: third } = await lab.credentialFor(unique('several-3'), [namespace], {
        deletionPolicy: 'Orphan',
      })
      await lab.rotate(source, { 'quay.io': login })
      await lab.served(namespace, { logins: { 'ghcr.io': login, 'quay.io': login } })
      const uid = (await lab.secret(namespace))?.metadata.uid
      await during(async () => {
        for (const each of [first, third]) await lab.deleteCredential(each)
      })
      await lab.gone(first)
      await lab.gone(third)
      await lab.served(namespace, { logins: { 'quay.io': login } })
      const metadata = (await lab.secret(namespace))?.metadata
      expect(metadata?.uid).toBe(uid)
      expect(metadata?.ownerReferences?.map(({ name }) => name)).toEqual([second])
      await during(() => lab.deleteCredential(second))
      await lab.gone(second)
      await lab.clean(namespace)
    },
  )

  scenario(
    'a namespace that cannot be cleaned up holds the deletion, which says so and goes on when it can',
    async () => {
      const [stuck, free] = [await lab.namespace(unique('stuck')), await lab.namespace(unique('free'))]
      const { credential } = await lab.credentialFor(unique('stuck'), [stuck, free])
      await lab.served(stuck)
      await lab.served(free)
      const permit = await refuseUpdates(lab, stuck, 'serviceaccounts')
      await during(() => lab.deleteCredential(credential))
      await lab.clean(free)
      await eventually(async () => {
        const { status } = await lab.readCredential(credential)
        expect(status?.failures).toEqual([expect.objectContaining({ namespace: stuck })])
        expect(status?.failures?.[0]?.message).toContain('ServiceAccount default: ')
        expect(status?.failures?.[0]?.message).toContain('refused by the test')
        expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'Terminating' }))
      })
      await lab.served(stuck) // the Secret goes only after the reference
      await permit()
      await lab.gone(credential)
      await lab.clean(stuck)
    },
  )

  scenario('a namespace that fails for its neighbour in the same Secret does not hold its deletion', async () => {
    const [own, other] = [await lab.namespace(unique('unheld')), await lab.namespace(unique('unheld-by'))]
    const { credential } = await lab.credentialFor(unique('unheld'), [own])
    const { credential: neighbour, source } = await lab.credentialFor(unique('unheld-by'), [other])
    await lab.served(own)
    await lab.served(other)
    const permit = await refuseUpdates(lab, other, 'secrets')
    await lab.rotate(source, { 'quay.io': login })
    await eventually(async () => {
      const { status } = await lab.readCredential(neighbour)
      expect(status?.failures?.[0]?.message).toContain('refused by the test')
    })
    await during(() => lab.deleteCredential(credential))
    await lab.gone(credential)
    await lab.clean(own)
    await permit()
    await lab.served(other, { logins: { 'quay.io': login } })
    await lab.ready(neighbour)
  })

  scenario('what is changed about it while it is being deleted counts', async () => {
    const namespace = await lab.namespace(unique('regret'))
    const { credential } = await lab.credentialFor(unique('regret'), [namespace])
    await lab.served(namespace)
    const permit = await refuseUpdates(lab, namespace, 'serviceaccounts')
    await during(() => lab.deleteCredential(credential))
    await eventually(async () => expect((await lab.readCredential(credential)).status?.failures).toHaveLength(1))
    await lab.patchCredential(credential, { deletionPolicy: 'Orphan' })
    await eventually(async () => {
      const { status, metadata } = await lab.readCredential(credential)
      expect(status?.observedGeneration).toBe(metadata.generation)
    })
    await permit()
    await lab.gone(credential)
    await lab.served(namespace)
  })

  scenario('one deleted and created again under its name at once is served anew', async () => {
    const namespace = await lab.namespace(unique('again'))
    const { credential, source } = await lab.credentialFor(unique('again'), [namespace])
    await lab.served(namespace)
    const spec = { source: { secretRef: { name: source } }, namespaces: { include: [namespace] } }
    if (mode === 'up') {
      await lab.deleteCredential(credential)
      await lab.createAgain(credential, spec)
    } else {
      // Without the finalizer, which would have to wait for the operator.
      await during(async () => {
        await lab.setFinalizers(credential, null)
        await lab.deleteCredential(credential)
        await lab.createAgain(credential, spec)
      })
    }
    await lab.ready(credential)
    const { uid } = (await lab.readCredential(credential)).metadata
    await eventually(async () => {
      const secret = await lab.secret(namespace)
      expect(secret?.metadata.ownerReferences?.map((owner) => owner.uid)).toEqual([uid])
    })
    await lab.served(namespace)
  })

  scenario('one deleted without its finalizer is cleaned up after all the same', async () => {
    const [namespace, shared] = [
      await lab.namespaceWithOwnReference(unique('forced')),
      await lab.namespace(unique('forced-2')),
    ]
    const { credential } = await lab.credentialFor(unique('forced'), [namespace, shared])
    const { credential: neighbour, source } = await lab.credentialFor(unique('forced-by'), [shared])
    await lab.rotate(source, { 'quay.io': login })
    await lab.served(shared, { logins: { 'ghcr.io': login, 'quay.io': login } })
    await during(async () => {
      await lab.setFinalizers(credential, null)
      await lab.deleteCredential(credential)
    })
    await lab.gone(credential)
    await lab.clean(namespace, { references: ['own'] })
    await lab.served(shared, { logins: { 'quay.io': login } })
    await lab.ready(neighbour)
  })

  scenario('one that a finalizer of somebody else keeps while it is deleted serves nobody any more', async () => {
    const namespace = await lab.namespace(unique('lingering'))
    const { credential } = await lab.credentialFor(unique('lingering'), [namespace])
    await lab.served(namespace)
    await during(async () => {
      const ours = mode === 'up' ? ['regcred.dev/references'] : []
      await lab.setFinalizers(credential, [...ours, 'example.com/kept'])
      await lab.deleteCredential(credential)
    })
    await lab.clean(namespace)
    const late = await lab.namespace(unique('lingering-late'), { [`use.regcred.dev/${credential}`]: 'true' })
    await eventually(async () =>
      expect((await lab.readCredential(credential)).metadata.finalizers).toEqual(['example.com/kept']),
    )
    await lab.allQuiet(unique('lingering-quiet'))
    await lab.clean(late)
    await lab.setFinalizers(credential, null)
    await lab.gone(credential)
  })
})

scenario('what was written under a name that the installation no longer allows goes with its credential', async () => {
  const namespace = await lab.namespaceWithOwnReference('withdrawn')
  const { credential } = await lab.credentialFor('withdrawn', [namespace], { secretName: other })
  await lab.served(namespace, { secret: other, references: ['own', other] })
  const before = [await lab.secret(namespace, other), await lab.serviceAccount(namespace)]
  await operator.whileDown(async () => {}, allow('regcred'))
  await lab.condition(credential, 'Stalled', 'True')
  await lab.allQuiet('withdrawn-quiet')
  expect([await lab.secret(namespace, other), await lab.serviceAccount(namespace)]).toEqual(before)
  await lab.deleteCredential(credential)
  await lab.gone(credential)
  await lab.clean(namespace, { secret: other, references: ['own'] }) // the garbage collector takes the Secret
  await operator.whileDown(async () => {}, allow('regcred', other))
})

scenario(
  'Orphan holds also where the garbage collector is asked to take everything before the operator is there',
  async () => {
    const namespace = await lab.namespace('foreground')
    const { credential } = await lab.credentialFor('foreground', [namespace], { deletionPolicy: 'Orphan' })
    await lab.served(namespace)
    const garbageCollected = await lab.bait(credential, namespace)
    await operator.whileDown(async () => {
      await lab.client.delete(`${credentialsPath}/${credential}`, { propagationPolicy: 'Foreground' })
      await garbageCollected()
    })
    await lab.gone(credential)
    await lab.served(namespace)
  },
)

// Last, since a young control plane needs half a minute until it collects garbage.
describe.each(modes)('Orphan, %s:', (_, mode, during) => {
  const unique = (name: string) => `${mode}-${name}`

  scenario('its deletion with Orphan leaves Secret and reference, without our marks', async () => {
    const namespace = await lab.namespaceWithOwnReference(unique('orphan'))
    const spec = { deletionPolicy: 'Orphan' as const }
    const { credential, source } = await lab.credentialFor(unique('orphan'), [namespace], spec)
    await lab.served(namespace, { references: ['own', 'regcred'] })
    const uid = (await lab.secret(namespace))?.metadata.uid
    const garbageCollected = await lab.bait(credential, namespace)
    await during(() => lab.deleteCredential(credential))
    await lab.gone(credential)
    await garbageCollected()
    await lab.served(namespace, { references: ['own', 'regcred'] })
    const metadata = (await lab.secret(namespace))?.metadata
    expect(metadata?.uid).toBe(uid)
    expect(metadata).not.toMatchObject({ labels: expect.anything() })
    expect(metadata).not.toMatchObject({ annotations: expect.anything() })
    expect(metadata).not.toMatchObject({ ownerReferences: expect.anything() })
    const account = await lab.serviceAccount(namespace)
    expect(account?.metadata.annotations?.['regcred.dev/managed']).toBeUndefined()
    // Its Secret is nobody's now, and not taken back without a word.
    await lab.createAgain(credential, { source: { secretRef: { name: source } }, namespaces: { include: [namespace] } })
    await lab.condition(credential, 'Ready', 'False')
    await eventually(async () => {
      const { status } = await lab.readCredential(credential)
      expect(status?.failures).toEqual([expect.objectContaining({ namespace, reason: 'NotOwned' })])
    })
  })
})
