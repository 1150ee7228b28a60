/** Much of everything, as far as it goes and beyond; what is too large for one Secret is in merging.test.ts. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import type { KubeList } from '../../src/kube/objects.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { inParallel } from '../support/in-parallel.ts'
import { scaled } from '../support/scale.ts'
import { Lab, type Login, type ServiceAccount } from './lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from './restarts.ts'
import { isWrite, requestsSince } from './traffic.ts'

let lab: Lab
/** V8's limits as it sets them itself in a pod with the Deployment's limit of 256 MiB. */
const operator = new Restarts({ env: { NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=1' } })

beforeAll(async () => {
  lab = new Lab()
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

function authsOf(count: number): Record<string, Login> {
  const login = { username: 'robot', password: 'example-password' }
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}.example.com`, login]))
}

async function credential(name: string, source: string, spec: Partial<RegistryCredentialSpec>): Promise<string> {
  return await lab.credential(name, { source: { secretRef: { name: source } }, ...spec })
}

const accountsPath = (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`

/** Makes ServiceAccounts, which go with their namespace. */
async function makeAccounts(namespace: string, names: readonly string[], imagePullSecrets: object[] = []) {
  const atOnce = imagePullSecrets.length > 0 ? 1 : 16 // the API server has its limits, too
  await inParallel(names, atOnce, (name) =>
    lab.client.create(
      accountsPath(namespace),
      { metadata: { name }, imagePullSecrets },
      { fieldManager: 'test', timeoutMs: 60_000 },
    ),
  )
}

async function linkedIn(namespace: string): Promise<number> {
  const { items } = await lab.client.get<KubeList<ServiceAccount>>(accountsPath(namespace))
  return (items ?? []).filter(({ imagePullSecrets }) => imagePullSecrets?.some(({ name }) => name === 'regcred')).length
}

test('1,024 entries of one credential are all there; with one more it says so, and they stay', async () => {
  const namespace = await lab.namespace('entries')
  const source = await lab.source('entries', authsOf(500))
  const name = await credential('entries', source, { namespaces: { include: [namespace], optIn: true } })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(authsOf(500)))
  await lab.rotate(source, authsOf(1_024))
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(authsOf(1_024)))
  await eventually(async () => {
    expect((await lab.ready(name)).status?.credential?.registries).toHaveLength(1_024)
  })
  await lab.rotate(source, authsOf(1_025))
  const { status } = await lab.condition(name, 'Stalled', 'True')
  const stalled = status?.conditions?.find(({ type }) => type === 'Stalled')
  expect(stalled).toMatchObject({
    reason: 'SourceInvalid',
    message: expect.stringMatching(/more than 1024 entries; take fewer of them by spec\.registries, or use several/),
  })
  expect(await lab.logins(namespace)).toEqual(authsOf(1_024))
})

test('thousands of ServiceAccounts of one namespace get the reference, each by one write, and hold nobody up', async () => {
  const count = scaled({ quick: 1_500, long: 10_000 })
  const label = { [`use.regcred.dev/${lab.unique('thousands')}`]: 'true' }
  const [large, small] = [await lab.namespace('thousands'), await lab.namespace('thousands-small')]
  await makeAccounts(
    large,
    Array.from({ length: count - 1 }, (_, i) => `account-${i}`),
  )
  const since = new Date()
  const source = await lab.source('thousands', authsOf(1))
  const name = await credential('thousands', source, { serviceAccounts: ['*'] })
  await lab.label(large, label)
  await eventually(async () => (await linkedIn(large)) > 0)
  await lab.label(small, label)
  await eventually(async () => expect(await lab.references(small)).toEqual(['regcred']))
  expect(await linkedIn(large)).toBeLessThan(count)
  await eventually(async () => expect(await linkedIn(large)).toBe(count), { timeoutMs: 600_000 })
  await eventually(async () => {
    expect((await lab.ready(name)).status?.serviceAccounts).toMatchObject({ selected: count + 1, linked: count + 1 })
  })
  const writes = (await requestsSince(lab.cluster, since)).filter(
    (entry) => isWrite(entry) && entry.namespace === large && entry.resource === 'serviceaccounts',
  )
  expect(writes).toHaveLength(count)
}, 1_200_000)

test(
  'ServiceAccounts with all the entries that the API server takes end no operator, however many there are at its start',
  async () => {
    const namespace = await lab.namespace('monsters')
    // An entry is four bytes in etcd, of which an object may have 1.5 MiB.
    const makeMonsters = (name: string, count: number) =>
      makeAccounts(
        namespace,
        Array.from({ length: count }, (_, i) => `${name}-${i}`),
        Array(340_000).fill({}),
      )
    const source = await lab.source('monsters', authsOf(1))
    const spec = { namespaces: { include: [namespace], optIn: true }, serviceAccounts: ['*'] }
    let name = ''
    await operator.whileDown(async () => {
      await makeMonsters('before', 8)
      name = await credential('monsters', source, spec)
    })
    const left = async (count: number) => {
      const { status } = await lab.condition(name, 'Ready', 'False')
      expect(status?.failures).toEqual([expect.objectContaining({ namespace, reason: 'TooManyPullSecrets' })])
      expect(status?.serviceAccounts).toMatchObject({ selected: count + 1, linked: 1 })
    }
    await eventually(() => left(8))
    await makeMonsters('later', 3)
    await eventually(() => left(11))
    expect(await lab.references(namespace)).toEqual(['regcred'])
  },
  RESTART_TIMEOUT_MS,
)
