/**
 * A namespace that refuses its Secret: by a quota, or by an admission policy. It fails alone, everybody is told why, and when
 * the reason is gone it is served without a restart, within the back-off.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { scaled } from '../support/scale.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'
import { convergeMs, differencesOf, type Picture, World } from './world.ts'

/** Seconds for which it is refused: in the long run until the back-off is at its longest. */
const refusedSeconds = scaled({ quick: 5, long: 400 })

let cluster: OwnedCluster
let operator: RunningOperator

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  operator = await startOperator({ cluster })
})

afterAll(async () => {
  await operator.kill()
  await cluster.stop()
})

const quota = (namespace: string) => [
  { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace }, spec: { hard: { secrets: 0 } } },
]

const admissionPolicy = (namespace: string) => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'none' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] },
        ],
      },
      validations: [{ expression: 'false', message: 'no Secrets here' }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'none' },
    spec: {
      policyName: 'none',
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    },
  },
]

test.each([
  ['a quota', quota, /Forbidden$/],
  ['an admission policy', admissionPolicy, /Invalid$/],
])(
  'a namespace whose Secret is refused by %s fails alone, and is served when it may be',
  async (what, refusal, reason) => {
    const world = await World.make(cluster, 'refused', 12)
    const refused = world.places.find(({ kind }) => kind === 'own-reference')?.name ?? ''
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: refusal(refused) })
    try {
      await cluster.apply(list)
      const secret = ['create', 'secret', 'generic', 'try', '-n', refused, '--dry-run=server']
      await eventually(async () => await expect(cluster.kubectl(...secret)).rejects.toThrow())

      await world.begin('fan-out')
      const failures = [expect.stringMatching(reason), expect.stringMatching(/NotOwned$/)]
      await eventually(async () => {
        const [picture, expected] = [await world.picture(), world.expected()]
        expect(differencesOf(others(picture, refused), others(expected, refused))).toEqual([])
        expect(picture[`Secret ${refused}`]).toBeUndefined()
        expect(picture[`ServiceAccount ${refused}/default`]).toMatchObject({ references: ['own'] })
        for (const credential of ['alpha', 'beta']) {
          expect(picture[`RegistryCredential ${credential}`]).toMatchObject({
            namespaces: '11/13',
            failures: expect.arrayContaining(failures),
          })
        }
      })
      await sleep(refusedSeconds * 1000)
      const refusals = await requestsAbout(refused)
      const from = performance.now()
      await kubectlDelete(refusal(refused))
      const at = await world.ended(convergeMs)
      const seconds = ((at - from) / 1000).toFixed(1)
      process.stderr.write(
        `| ${what} refuses a Secret for ${refusedSeconds} s | ${refusals} tries | served ${seconds} s after |\n`,
      )
      await world.begin('removal')
      await world.ended(convergeMs)
    } finally {
      await kubectlDelete(refusal(refused))
      await world.lab.close()
    }
  },
  FAULT_TIMEOUT_MS,
)

/** Without what is of the namespace, or counts it. */
function others(picture: Picture, namespace: string): Picture {
  const entries = Object.entries(picture)
  return Object.fromEntries(entries.filter(([key]) => !/^RegistryCredential/.test(key) && !key.includes(namespace)))
}

async function requestsAbout(namespace: string): Promise<number> {
  const log = await cluster.auditLog()
  return log.filter((each) => each.namespace === namespace && each.name === 'regcred' && each.verb === 'patch').length
}

async function kubectlDelete(
  objects: { kind: string; metadata: { name: string; namespace?: string } }[],
): Promise<void> {
  for (const { kind, metadata } of objects) {
    const { name, namespace } = metadata
    await cluster.kubectl('delete', kind, name, ...(namespace ? ['-n', namespace] : []), '--ignore-not-found')
  }
}
