/** What happens to the operator's own process. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../cluster/wait.ts'
import { type Fault, isLong } from './fault.ts'
import { byRole, leads, type Replica } from './replicas.ts'
import { phases } from './world.ts'

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
    times: { quick: 9, long: 100 },
    namespaces: { quick: 24, long: 60 },
    strike: (site) => site.restart(),
  },
  {
    name: 'the leader of two is frozen (SIGSTOP) until another leads, and goes on then',
    during: phases,
    times: { quick: 1, long: 9 },
    namespaces: { quick: 24, long: 60 },
    replicas: true,
    async strike({ replicas }) {
      const { leader, other } = await byRole(replicas)
      const from = Date.now()
      leader.operator.signal('SIGSTOP')
      await anotherLeads(other)
      if (isLong) await sleep(from + 60_000 - Date.now()) // then it knows nothing of a whole minute
      leader.operator.signal('SIGCONT')
    },
  },
  {
    name: 'the leader of two gets no answer until another leads, and then all that was on its way arrives',
    during: phases,
    times: { quick: 1, long: 12 },
    namespaces: { quick: 24, long: 60 },
    replicas: true,
    async strike({ replicas }) {
      const { leader, other } = await byRole(replicas)
      leader.tcp.hold(true)
      await anotherLeads(other)
      leader.tcp.hold(false)
    },
  },
]

async function anotherLeads(other: Replica): Promise<void> {
  await eventually(() => leads(other), { describe: 'another leader' })
}
