/**
 * Half a day of a cluster in minutes: logins that are renewed, namespaces and credentials that come and go, watches that
 * are cut. What the operator holds must not grow with the time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { Random, seed } from '../support/random.ts'
import { isLong, scaled } from '../support/scale.ts'
import { openTcpLink } from './links.ts'
import { type Memory, probe, withProbe } from './memory.ts'
import { FAULT_TIMEOUT_MS } from './sustain.ts'
import { convergeMs } from './world.ts'

/** Of twelve hours with one renewal an hour each. */
const credentials = scaled({ quick: 10, long: 50 })
const hours = 12
/** Looks at the memory. */
const looksPerHour = scaled({ quick: 1, long: 2 })

/**
 * Before each look. Until a second after the work there are timers of pods and statuses, and the connections that it needed
 * at once, which only count while they are used.
 */
const settleMs = 2_000

const random = Random.of('soak')

test(
  `half a day of ${credentials} credentials with hourly renewals, and of namespaces that come and go, leaves the memory as it was`,
  async () => {
    const cluster = await startCluster()
    await installOperator(cluster)
    const lab = new Lab(cluster)
    const { tcp, kubeconfig } = await openTcpLink(cluster, 'soak')
    const operator = await startOperator({ ...withProbe(cluster), kubeconfig })
    let version = 0
    const login = (index: number) => ({
      [`registry-${index}.example`]: { username: 'robot', password: `password-${index}-${version}-${seed}` },
    })
    try {
      const stays = await Promise.all([1, 2, 3, 4].map((index) => lab.namespace(`stays-${index}`)))
      const sources: string[] = []
      for (let index = 0; index < credentials; index++) {
        const source = await lab.source(`soak-${index}`, login(index))
        sources.push(source)
        const include = [lab.unique('stays-*'), 'comes-*']
        await lab.credential(`soak-${index}`, {
          source: { secretRef: { name: source } },
          namespaces: { include, optIn: true },
        })
      }
      const served = async () => {
        for (const namespace of stays) {
          const logins = Object.values((await lab.logins(namespace)) ?? {})
          expect(logins).toHaveLength(credentials)
          expect(logins.filter(({ password }) => !password.endsWith(`-${version}-${seed}`))).toEqual([])
        }
      }
      await eventually(served, { timeoutMs: convergeMs })

      const looks: Memory[] = []
      for (let look = 0; look < hours * looksPerHour; look++) {
        const isHour = look % looksPerHour === 0
        if (isHour) {
          tcp.cut()
          version++
          for (const [index, source] of sources.entries()) await lab.rotate(source, login(index))
        }
        const name = `comes-${look}-${seed}`
        await lab.client.create('/api/v1/namespaces', { metadata: { name } }, { fieldManager: 'test' })
        await eventually(async () => expect(Object.keys((await lab.logins(name)) ?? {})).toHaveLength(credentials), {
          timeoutMs: convergeMs,
        })
        await lab.client.delete(`/api/v1/namespaces/${name}`)
        const extra = await lab.credential(`extra-${look}`, {
          source: { secretRef: { name: sources[0] ?? '' } },
          namespaces: { include: stays, optIn: true },
        })
        await eventually(async () => expect((await lab.readCredential(extra)).status?.conditions).toBeDefined())
        await lab.deleteCredential(extra)
        await sleep(isLong ? 10_000 * random.fraction() : 0)
        await eventually(served, { timeoutMs: convergeMs })
        await sleep(settleMs)
        looks.push(await probe(operator))
      }
      for (const key of ['heapUsed', 'rss', 'timers', 'handles'] as const) compare(looks, key)
    } finally {
      await operator.stop()
      await tcp.close()
      await lab.close()
      await cluster.stop()
    }
  },
  FAULT_TIMEOUT_MS,
)

/** What grows with every hour has grown much more than this from the second quarter to the last one. */
const allowed = {
  heapUsed: { factor: 1.15, more: 0 },
  rss: { factor: 1.25, more: 0 },
  timers: { factor: 1, more: 3 },
  handles: { factor: 1, more: 5 },
}

function compare(looks: Memory[], key: keyof typeof allowed): void {
  const quarter = looks.length / 4
  const second = medianOf(looks.slice(quarter, 2 * quarter).map((look) => look[key]))
  const last = medianOf(looks.slice(3 * quarter).map((look) => look[key]))
  const shown = (value: number) => (value > 10_000 ? `${(value / 2 ** 20).toFixed(1)} MiB` : value)
  process.stderr.write(
    `| ${hours} hours of ${credentials} credentials | ${key} | ${shown(second)} → ${shown(last)} | SEED=${seed}\n`,
  )
  expect(last).toBeLessThanOrEqual(second * allowed[key].factor + allowed[key].more)
}

function medianOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
