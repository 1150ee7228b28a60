/** What happens to the operator's own process. */
import type { Fault } from './fault.ts'
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
]
