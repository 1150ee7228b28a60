/** What happens to the operator's own process. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../cluster/wait.ts'
import { isLong } from '../support/scale.ts'
import type { Fault, Site } from './fault.ts'
import { byRole, leads, type Replica } from './replicas.ts'
import { convergeMs, type Phase, phases } from './world.ts'

/** What comes too late shows most where there was something before. */
const late: readonly Phase[] = isLong ? phases : ['rotation']

const ofTwo = { during: late, namespaces: { quick: 24, long: 60 }, replicas: true } as const

export const processFaults: Fault[] = [
  {
    name: 'nothing happens',
    during: phases,
    times: { quick: 3, long: 3 },
    namespaces: { quick: 24, long: 24 },
    async strike() {},
  },
  {
    name: 'the operator is killed (SIGKILL)',
    during: phases,
    times: { quick: 6, long: 100 },
    namespaces: { quick: 24, long: 60 },
    strike: (site) => site.restart(),
  },
  {
    ...ofTwo,
    name: 'the leader of two is frozen (SIGSTOP) until another has done its work, and goes on then',
    times: { quick: 1, long: 6 },
    async strike(site) {
      const { leader, other } = await byRole(site.replicas)
      const from = Date.now()
      leader.operator.signal('SIGSTOP')
      await doneBy(other, site)
      if (isLong) await sleep(Math.max(0, from + 60_000 - Date.now()))
      leader.operator.signal('SIGCONT')
    },
  },
  {
    ...ofTwo,
    name: 'the leader of two gets no answer until another has done its work, and then all that was on its way arrives',
    times: { quick: 1, long: 9 },
    async strike(site) {
      const { leader, other } = await byRole(site.replicas)
      leader.tcp.hold(true)
      await doneBy(other, site)
      leader.tcp.hold(false)
    },
  },
]

/** And more than that: what the one before was at is out of date when it goes on. */
async function doneBy(other: Replica, { world, begin }: Site): Promise<void> {
  await eventually(() => leads(other), { describe: 'another leader' })
  if (world.phase !== 'removal') await begin('rotation')
  await world.ended(convergeMs)
}
