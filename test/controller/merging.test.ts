/**
 * Several credentials in one Secret: who wins a key, and that nobody loses entries by what happens to a neighbour, also
 * when the operator has started anew and must go by what it has kept.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RegistryCredential, RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, operatorNamespace, type Secret, secretPath, serviceAccountPath } from './lab.ts'
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

type Auths = Record<string, Login>

/** A credential with a source of its own. */
interface Member {
  name: string
  source: string
}

async function member(name: string, auths: Auths, spec: Partial<RegistryCredentialSpec>): Promise<Member> {
  const source = await lab.source(name, auths)
  return { source, name: await lab.credential(name, { source: { secretRef: { name: source } }, ...spec }) }
}

function into(...include: string[]): Partial<RegistryCredentialSpec> {
  return { namespaces: { include, optIn: true } }
}

function login(password: string): Login {
  return { username: 'robot', password }
}

async function holds(namespace: string, auths: Auths): Promise<void> {
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths), {
    describe: `the logins in ${namespace}`,
  })
}

async function owners(namespace: string): Promise<string[]> {
  return ((await lab.secret(namespace))?.metadata.ownerReferences ?? []).map(({ name }) => name).sort()
}

/** Makes a source unusable. */
async function malform({ source }: Member): Promise<void> {
  const data = { '.dockerconfigjson': Buffer.from('{"auths": {"quay.io": {"auth": "%%%"}}}').toString('base64') }
  await lab.patch(secretPath(operatorNamespace, source), { data })
}

async function remove({ source }: Member): Promise<void> {
  await lab.client.delete(secretPath(operatorNamespace, source))
}

/** Waits for the reason of the Ready condition. */
async function notReady(name: string, reason: string): Promise<RegistryCredential> {
  return await eventually(
    async () => {
      const credential = await lab.condition(name, 'Ready', 'False')
      const ready = credential.status?.conditions?.find((each) => each.type === 'Ready')
      return ready?.reason === reason ? credential : null
    },
    { describe: `${reason} of ${name}` },
  )
}

function overlapOf({ status }: RegistryCredential): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Overlapping')?.message
}

async function noOverlap({ name }: Member): Promise<void> {
  await eventually(async () => expect(overlapOf(await lab.ready(name))).toBeUndefined())
}

describe('one Secret', () => {
  test('has the keys of all its credentials and is owned by all of them', async () => {
    const namespace = await lab.namespace('union')
    const one = await member('union-one', { 'ghcr.io': login('one') }, into(namespace))
    const two = await member('union-two', { 'quay.io': login('two'), 'docker.io/acme/': login('hub') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('one'), 'quay.io': login('two'), 'docker.io/acme/': login('hub') })
    const { uid } = (await lab.readCredential(one.name)).metadata
    const secret = await lab.secret(namespace)
    expect(secret?.metadata.ownerReferences).toContainEqual({
      apiVersion: 'regcred.dev/v1',
      kind: 'RegistryCredential',
      name: one.name,
      uid,
    })
    expect(await owners(namespace)).toEqual([one.name, two.name])
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
    await lab.ready(one.name)
    await lab.ready(two.name)
  })

  test('gives a key to the higher priority, then to the name that sorts first; both say so until it ends', async () => {
    const namespace = await lab.namespace('same')
    const b = await member('same-b', { 'ghcr.io': login('b'), 'quay.io': login('b') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('b'), 'quay.io': login('b') })
    const a = await member('same-a', { 'ghcr.io': login('a') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('a'), 'quay.io': login('b') })
    const losing = `ghcr.io is given by ${a.name}, which wins (by priority, then by name).`
    const winning = `ghcr.io is also given by ${b.name}, over which this one wins (by priority, then by name).`
    expect(overlapOf(await lab.condition(a.name, 'Overlapping', 'True'))).toBe(winning)
    expect(overlapOf(await lab.condition(b.name, 'Overlapping', 'True'))).toBe(losing)
    await lab.patchCredential(b.name, { priority: 1 })
    await holds(namespace, { 'ghcr.io': login('b'), 'quay.io': login('b') })
    await eventually(async () => expect(overlapOf(await lab.readCredential(a.name))).toContain(`given by ${b.name}`))
    await lab.rotate(a.source, { 'docker.io/acme/': login('a') })
    await holds(namespace, { 'ghcr.io': login('b'), 'quay.io': login('b'), 'docker.io/acme/': login('a') })
    await noOverlap(a)
    await noOverlap(b)
  })

  test('stays the same object, with the other entries, when one of its credentials is deleted', async () => {
    const namespace = await lab.namespace('partner')
    const one = await member('partner-one', { 'ghcr.io': login('one'), 'quay.io': login('one') }, into(namespace))
    const two = await member('partner-two', { 'ghcr.io': login('two') }, { ...into(namespace), priority: 5 })
    await holds(namespace, { 'ghcr.io': login('two'), 'quay.io': login('one') })
    await lab.condition(one.name, 'Overlapping', 'True')
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
    const [secret, account] = [await lab.secret(namespace), await lab.serviceAccount(namespace)]
    await lab.deleteCredential(two.name)
    await holds(namespace, { 'ghcr.io': login('one'), 'quay.io': login('one') })
    expect((await lab.secret(namespace))?.metadata.uid).toBe(secret?.metadata.uid)
    expect(await owners(namespace)).toEqual([one.name])
    expect(await lab.serviceAccount(namespace)).toEqual(account)
    await noOverlap(one)
  })

  test('has of each credential the registries that it names, as narrow as it names them', async () => {
    const namespace = await lab.namespace('narrow')
    const hub = 'https://index.docker.io/v1/'
    const auths = { [hub]: login('hub'), 'ghcr.io': login('ghcr'), 'quay.io': login('quay') }
    const some = await member('narrow', auths, { ...into(namespace), registries: ['docker.io/acme', 'ghcr.io'] })
    await holds(namespace, { 'docker.io/acme/': login('hub'), 'ghcr.io': login('ghcr') })
    await lab.patchCredential(some.name, { registries: ['quay.io/team/'] })
    await holds(namespace, { 'quay.io/team/': login('quay') })
    await lab.patchCredential(some.name, { registries: ['registry.example.com'] })
    await lab.condition(some.name, 'Stalled', 'True')
    await holds(namespace, { 'quay.io/team/': login('quay') })
    await lab.patchCredential(some.name, { registries: null })
    await holds(namespace, auths)
  })
})

test('what does not fit into 1 MiB is left out, whole and lowest rank first, and comes when there is room', async () => {
  const [namespace, own] = [await lab.namespace('full'), await lab.namespace('full-own')]
  // Each makes more than half a MiB of docker config.
  const auths = (domain: string) =>
    Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`${domain}-${i}.example.com`, login('x'.repeat(1000))]))
  const large = await member('full-a', auths('a'), into(namespace))
  await lab.ready(large.name)
  const small = await member('full-c', { 'ghcr.io': login('small') }, into(namespace))
  const left = await member('full-b', auths('b'), into(namespace, own))
  await holds(own, auths('b'))
  await holds(namespace, { ...auths('a'), 'ghcr.io': login('small') })
  expect(await owners(namespace)).toEqual([large.name, small.name])
  await lab.ready(large.name)
  await lab.ready(small.name)
  const { status } = await notReady(left.name, 'NamespacesFailed')
  expect(status?.failures).toEqual([
    { namespace, reason: 'TooLarge', message: expect.stringContaining('larger than 1 MiB') },
  ])
  await lab.deleteCredential(large.name)
  await holds(namespace, { ...auths('b'), 'ghcr.io': login('small') })
  await lab.ready(left.name)
})

describe('a neighbour', () => {
  test('that breaks, vanishes and comes back keeps its last good entries and stops nobody', async () => {
    const [namespace, late] = [await lab.namespace('broken'), await lab.namespace('broken-late')]
    const sound = await member('broken-sound', { 'ghcr.io': login('one') }, into(namespace, late))
    const broken = await member('broken-other', { 'quay.io': login('s3cret-of-broken') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('one'), 'quay.io': login('s3cret-of-broken') })
    await malform(broken)
    const { status } = await lab.condition(broken.name, 'Stalled', 'True')
    expect(JSON.stringify(status)).toContain('SourceInvalid')
    expect(JSON.stringify(status)).not.toContain('%%%')
    await lab.rotate(sound.source, { 'ghcr.io': login('two') })
    await holds(namespace, { 'ghcr.io': login('two'), 'quay.io': login('s3cret-of-broken') })
    await remove(broken)
    await notReady(broken.name, 'SourceNotFound')
    await lab.rotate(sound.source, { 'ghcr.io': login('three') })
    await holds(namespace, { 'ghcr.io': login('three'), 'quay.io': login('s3cret-of-broken') })
    await lab.patchCredential(broken.name, { namespaces: { include: [namespace, late] } })
    await holds(late, { 'ghcr.io': login('three'), 'quay.io': login('s3cret-of-broken') })
    await lab.source('broken-other', { 'quay.io': login('mended') })
    await holds(namespace, { 'ghcr.io': login('three'), 'quay.io': login('mended') })
    await holds(late, { 'ghcr.io': login('three'), 'quay.io': login('mended') })
    await lab.ready(sound.name)
    await lab.ready(broken.name)
  })

  test('whose source was never there costs nobody a write, a removal or a deletion', async () => {
    const [namespace, left] = [await lab.namespace('never'), await lab.namespace('never-left')]
    const sound = await member('never-sound', { 'ghcr.io': login('one') }, into(namespace, left))
    const broken = await lab.credential('never-there', {
      source: { secretRef: { name: lab.unique('never-there') } },
      ...into(namespace, left),
    })
    await notReady(broken, 'SourceNotFound')
    await holds(left, { 'ghcr.io': login('one') })
    await eventually(async () => expect(await lab.references(left)).toEqual(['regcred']))
    await lab.rotate(sound.source, { 'ghcr.io': login('two') })
    await holds(namespace, { 'ghcr.io': login('two') })
    expect((await lab.readCredential(broken)).status?.namespaces?.synced).toBe(0)
    await lab.patchCredential(sound.name, { namespaces: { include: [namespace] } })
    await eventually(async () => expect(await lab.secret(left)).toBeNull())
    expect(await lab.references(left)).toEqual(['regcred']) // it asks for the reference, and so would an admission policy
    await lab.deleteCredential(sound.name)
    await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
    await lab.deleteCredential(broken)
    for (const each of [namespace, left]) {
      await eventually(async () => expect(await lab.references(each)).toEqual([]))
    }
  })

  test('that is suspended keeps its entries and no others when the rest of the Secret goes', async () => {
    const [namespace, left] = [await lab.namespace('rest'), await lab.namespace('rest-left')]
    const asleep = await member('rest-asleep', { 'quay.io': login('asleep') }, into(namespace, left))
    const going = await member('rest-going', { 'ghcr.io': login('going') }, into(namespace, left))
    const both = { 'quay.io': login('asleep'), 'ghcr.io': login('going') }
    await holds(namespace, both)
    await holds(left, both)
    await eventually(async () => expect(await lab.references(namespace)).toEqual(['regcred']))
    await lab.patchCredential(asleep.name, { suspend: true })
    await eventually(async () => expect((await lab.readCredential(asleep.name)).status?.observedGeneration).toBe(2))
    await lab.label(left, { [`use.regcred.dev/${going.name}`]: 'false' })
    await holds(left, { 'quay.io': login('asleep') })
    await lab.deleteCredential(going.name)
    await holds(namespace, { 'quay.io': login('asleep') })
    expect(await owners(namespace)).toEqual([asleep.name])
    expect(await lab.references(namespace)).toEqual(['regcred'])
  })
})

describe('after a restart', () => {
  const restarted = (name: string, work: () => Promise<void>) => test(name, work, RESTART_TIMEOUT_MS)

  for (const [what, spoil] of [
    ['malformed', malform],
    ['missing', remove],
  ] as const) {
    restarted(
      `the rotation of one gets through with the last good entries of one whose source is ${what}`,
      async () => {
        const [first, second] = [await lab.namespace(`${what}-1`), await lab.namespace(`${what}-2`)]
        const sound = await member(`${what}-sound`, { 'ghcr.io': login('one') }, into(first, second))
        const broken = await member(`${what}-other`, { 'quay.io': login('last-good') }, into(first, second))
        await holds(second, { 'ghcr.io': login('one'), 'quay.io': login('last-good') })
        await lab.ready(broken.name)
        const before = await lab.secret(first)
        await operator.whileDown(async () => {
          await spoil(broken)
          await lab.rotate(sound.source, { 'ghcr.io': login('two') })
        })
        for (const namespace of [first, second]) {
          await holds(namespace, { 'ghcr.io': login('two'), 'quay.io': login('last-good') })
          expect(await owners(namespace)).toEqual([broken.name, sound.name])
        }
        expect((await lab.secret(first))?.metadata.uid).toBe(before?.metadata.uid)
        await lab.ready(sound.name)
        const { status } = await lab.condition(broken.name, 'Ready', 'False')
        expect(status?.credential?.registries).toEqual(['quay.io'])
        const late = await lab.namespace(`${what}-late`, { [`use.regcred.dev/${broken.name}`]: 'true' })
        await holds(late, { 'quay.io': login('last-good') })
      },
    )
  }

  restarted('the rotation of one gets through while another is suspended, which stays as it was', async () => {
    const namespace = await lab.namespace('asleep')
    const awake = await member('asleep-awake', { 'ghcr.io': login('one') }, into(namespace))
    const asleep = await member('asleep', { 'quay.io': login('old') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('one'), 'quay.io': login('old') })
    await lab.ready(asleep.name)
    await operator.whileDown(async () => {
      await lab.patchCredential(asleep.name, { suspend: true })
      await lab.rotate(asleep.source, { 'quay.io': login('new') })
      await lab.rotate(awake.source, { 'ghcr.io': login('two') })
    })
    await holds(namespace, { 'ghcr.io': login('two'), 'quay.io': login('old') })
    await lab.rotate(awake.source, { 'ghcr.io': login('three') })
    await holds(namespace, { 'ghcr.io': login('three'), 'quay.io': login('old') })
    await lab.patchCredential(asleep.name, { suspend: false })
    await holds(namespace, { 'ghcr.io': login('three'), 'quay.io': login('new') })
  })

  restarted('a spoiled copy is not believed: what was good last is known without it', async () => {
    const [spoiled, sound] = [await lab.namespace('spoiled'), await lab.namespace('spoiled-none')]
    const broken = await member('spoiled', { 'quay.io': login('last-good') }, into(spoiled, sound))
    const rotated = await member('spoiled-other', { 'ghcr.io': login('one') }, into(spoiled, sound))
    await holds(sound, { 'ghcr.io': login('one'), 'quay.io': login('last-good') })
    await holds(spoiled, { 'ghcr.io': login('one'), 'quay.io': login('last-good') })
    await operator.whileDown(async () => {
      await malform(broken)
      const stolen = { 'ghcr.io': login('one'), 'quay.io': login('stolen') }
      const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: stolen })).toString('base64') }
      await lab.patch(secretPath(spoiled), { data })
      await lab.rotate(rotated.source, { 'ghcr.io': login('two') })
    })
    for (const namespace of [spoiled, sound]) {
      await holds(namespace, { 'ghcr.io': login('two'), 'quay.io': login('last-good') })
    }
    const late = await lab.namespace('spoiled-late', { [`use.regcred.dev/${broken.name}`]: 'true' })
    await holds(late, { 'quay.io': login('last-good') })
  })

  restarted('an old copy that was put back does not bring old entries back', async () => {
    const namespace = await lab.namespace('rollback')
    const broken = await member('rollback', { 'quay.io': login('old') }, into(namespace))
    await holds(namespace, { 'quay.io': login('old') })
    const { data, metadata } = await lab.client.get<Secret>(secretPath(namespace))
    await lab.rotate(broken.source, { 'quay.io': login('new') })
    await holds(namespace, { 'quay.io': login('new') })
    await lab.ready(broken.name)
    await operator.whileDown(async () => {
      await malform(broken)
      await lab.patch(secretPath(namespace), { data, metadata: { annotations: metadata.annotations } })
    })
    await holds(namespace, { 'quay.io': login('new') })
  })

  restarted('where what was kept is lost too, all entries stay where they are until the source is mended', async () => {
    const [namespace, own] = [await lab.namespace('lost'), await lab.namespace('lost-own')]
    const lost = await member('lost', { 'docker.io/acme/': login('last-good') }, into(namespace))
    const rotated = await member('lost-other', { 'ghcr.io': login('one') }, into(namespace, own))
    await holds(namespace, { 'ghcr.io': login('one'), 'docker.io/acme/': login('last-good') })
    await lab.ready(lost.name)
    const { uid } = (await lab.readCredential(lost.name)).metadata
    await operator.whileDown(async () => {
      await malform(lost)
      const state = secretPath(operatorNamespace, `regcred-operator-state-${uid.charAt(0)}`)
      await lab.patch(state, { data: { [uid]: null } })
      await lab.rotate(rotated.source, { 'ghcr.io': login('two') })
    })
    await holds(own, { 'ghcr.io': login('two') })
    const late = await lab.namespace('lost-late', { [`use.regcred.dev/${lost.name}`]: 'true' })
    const { status } = await notReady(rotated.name, 'NamespacesFailed')
    expect(status?.failures).toEqual([
      {
        namespace,
        reason: 'WaitingForSource',
        message: `Secret regcred stays as it is, since the source of ${lost.name} cannot be read.`,
      },
    ])
    expect(await lab.secret(late)).toBeNull()
    expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': login('one'), 'docker.io/acme/': login('last-good') })
    await lab.rotate(lost.source, { 'docker.io/acme/': login('mended') })
    await holds(namespace, { 'ghcr.io': login('two'), 'docker.io/acme/': login('mended') })
    await holds(late, { 'docker.io/acme/': login('mended') })
    await lab.ready(rotated.name)
  })

  restarted('the last good entries are its own, also where a rival has won one of its keys', async () => {
    const namespace = await lab.namespace('rival')
    const winner = await member('rival-a', { 'ghcr.io': login('winner') }, into(namespace))
    const loser = await member('rival-b', { 'ghcr.io': login('loser'), 'quay.io': login('loser') }, into(namespace))
    await holds(namespace, { 'ghcr.io': login('winner'), 'quay.io': login('loser') })
    await operator.whileDown(async () => {
      await malform(loser)
      await lab.rotate(winner.source, { 'ghcr.io': login('rotated') })
    })
    await holds(namespace, { 'ghcr.io': login('rotated'), 'quay.io': login('loser') })
    await lab.deleteCredential(winner.name)
    await holds(namespace, { 'ghcr.io': login('loser'), 'quay.io': login('loser') })
  })

  restarted('a status that others have written is not taken for what was good', async () => {
    const namespace = await lab.namespace('forged')
    const broken = await member('forged', { 'quay.io': login('last-good') }, into(namespace))
    await holds(namespace, { 'quay.io': login('last-good') })
    await lab.ready(broken.name)
    await operator.whileDown(async () => {
      await malform(broken)
      const forged = { registries: [], expiresAt: '2030-01-01T00:00:00Z' }
      await lab.patch(`${credentialsPath}/${broken.name}/status`, { status: { credential: forged } })
    })
    await eventually(async () => {
      const { status } = await lab.readCredential(broken.name)
      expect(status?.credential).toEqual({ registries: ['quay.io'], issuedAt: expect.any(String) })
    })
    expect(await lab.logins(namespace)).toEqual({ 'quay.io': login('last-good') })
  })

  restarted('nothing is kept of a credential that has gone', async () => {
    const namespace = await lab.namespace('kept')
    const { name } = await member('kept', { 'quay.io': login('kept') }, into(namespace))
    await holds(namespace, { 'quay.io': login('kept') })
    const { uid } = (await lab.readCredential(name)).metadata
    const state = secretPath(operatorNamespace, `regcred-operator-state-${uid.charAt(0)}`)
    const kept = async () => Object.keys((await lab.client.get<Secret>(state)).data ?? {})
    expect(await kept()).toContain(uid)
    await lab.patch(state, { data: { [`${uid.charAt(0)}-of-nobody`]: 'e30=' } })
    await operator.whileDown(async () => {})
    await eventually(async () => expect(await kept()).not.toContain(`${uid.charAt(0)}-of-nobody`))
    expect(await kept()).toContain(uid)
    await lab.deleteCredential(name)
    await eventually(async () => expect(await kept()).not.toContain(uid))
  })
})

test('no ServiceAccount has a reference twice', async () => {
  const namespace = await lab.namespace('once')
  await lab.patch(serviceAccountPath(namespace), { imagePullSecrets: [{ name: 'own' }] })
  await member('once-one', { 'ghcr.io': login('one') }, into(namespace))
  await member('once-two', { 'quay.io': login('two') }, into(namespace))
  await holds(namespace, { 'ghcr.io': login('one'), 'quay.io': login('two') })
  await eventually(async () => expect(await lab.references(namespace)).toEqual(['own', 'regcred']))
})
