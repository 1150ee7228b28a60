/** What happens to the servers behind the operator: the API server, and etcd behind that. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import { scaled } from '../support/scale.ts'
import type { Fault, Site } from './fault.ts'
import { alarm } from './history.ts'
import { tells, tellsOfNothing } from './observed.ts'

const common = {
  during: ['fan-out', 'rotation', 'removal'],
  leaderElection: true,
  also: ({ operator }: Site) => tellsOfNothing(operator),
} as const satisfies Partial<Fault>

const ofEtcd = { ...common, times: { quick: 1, long: 6 }, namespaces: { quick: 24, long: 60 } } as const

const kills = { quick: 2, long: 10 }

export const serverFaults: Fault[] = [
  {
    ...common,
    name: 'the API server is killed, again and again (10 times in a row in a long run)',
    times: { quick: 2, long: 3 },
    namespaces: { quick: 60, long: 1_000 },
    async strike({ cluster, operator, random }) {
      for (let kill = 1; kill <= scaled(kills); kill++) {
        await cluster.apiserver.stop()
        await tells(operator, /caches ok, but .*no usable answer/, /regcred_watch_restarts_total\{.*reason="error"\}/)
        await cluster.apiserver.start()
        await sleep(random() * 2_000) // so much gets done in between
      }
    },
  },
  {
    ...ofEtcd,
    name: 'etcd is frozen for a minute (SIGSTOP)',
    async strike(site) {
      const { etcd } = site.cluster
      etcd.signal('SIGSTOP')
      await outage(site, /failed for \d+ s/, /<error>|5\d\d/).finally(() => etcd.signal('SIGCONT'))
    },
  },
  {
    ...ofEtcd,
    name: 'etcd is killed, and away for a minute',
    async strike(site) {
      const { etcd } = site.cluster
      await etcd.stop()
      await outage(site, /failed for \d+ s/, /<error>|5\d\d/).finally(() => etcd.start())
    },
  },
  {
    ...ofEtcd,
    name: 'etcd is full for a minute (the alarm NOSPACE)',
    async strike(site) {
      const { etcdUrl } = site.cluster
      await alarm(etcdUrl, 'ACTIVATE')
      await outage(site, /writes have failed for \d+ s \(500\)/, /500/).finally(() => alarm(etcdUrl, 'DEACTIVATE'))
    },
  },
]

/** Time passes, in which the operator loses its lease: it says what is wrong, and is not taken for broken. */
async function outage({ operator }: Site, note: RegExp, code: RegExp): Promise<void> {
  const end = sleep(scaled({ quick: 12, long: 60 }) * 1000)
  await tells(operator, note, new RegExp(`rest_client_requests_total\\{.*code="(${code.source})"`))
  await tells(operator, note, /^leader_election_master_status\{.*\} 0$/m)
  expect(await operator.health('/readyz')).toBe(200)
  expect(await operator.health('/healthz')).toBe(200)
  await end
}
