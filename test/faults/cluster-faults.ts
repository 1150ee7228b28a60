/** What happens in the cluster around the operator: its rights are taken away for a while. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../controller/lab.ts'
import { isLong } from '../support/scale.ts'
import type { Fault, Site } from './fault.ts'
import { phases } from './world.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const roles = {
  cluster: `${rbac}/clusterroles/regcred-operator`,
  secrets: `${rbac}/clusterroles/regcred-operator-secrets`,
  own: `${rbac}/namespaces/regcred-system/roles/regcred-operator`,
}

interface Rule {
  resources: string[]
}

/** A role, and which of its resources are taken out of it. */
type Loss = [path: string, resources: RegExp]

const losses: [name: string, ...Loss[]][] = [
  ['Secrets of the copies', [roles.secrets, /^secrets$/]],
  ['ServiceAccounts', [roles.cluster, /^serviceaccounts$/]],
  ['credentials', [roles.cluster, /^registrycredentials/]],
  ['its own namespace', [roles.own, /./]],
  ['anything', [roles.cluster, /./], [roles.secrets, /./], [roles.own, /./]],
]

const common = {
  during: phases,
  times: { quick: 5, long: 12 },
  namespaces: { quick: 12, long: 60 },
  through: 'tcp',
} satisfies Partial<Fault>

const lossFaults: Fault[] = losses.map(([name, ...lost]) => ({
  ...common,
  name: `the right to ${name} is taken away and given back`,
  strike: (site) => withoutRights(site, lost),
}))

/** As 3 phases and 5 losses have no common divisor, each loss comes in each phase in the end. */
let turn = 0
const anyLoss: Fault = {
  ...common,
  name: 'one right after the other is taken away and given back',
  strike: (site) => withoutRights(site, losses[turn++ % losses.length]?.slice(1) as Loss[]),
}

/** One by one they take minutes. */
export const clusterFaults: Fault[] = isLong ? lossFaults : [anyLoss]

/** Watches are only asked for their rights when they begin: so they have to begin again. */
async function withoutRights({ world: { lab }, tcp, random }: Site, lost: Loss[]): Promise<void> {
  const giveBack = await Promise.all(lost.map(([path, resources]) => take(lab, path, resources)))
  tcp.cut()
  await sleep(500 + 4_000 * random())
  await Promise.all(giveBack.map((give) => give()))
}

/** @returns gives the rights back */
async function take(lab: Lab, path: string, resources: RegExp): Promise<() => Promise<void>> {
  const { rules } = await lab.client.get<{ rules: Rule[] }>(path)
  const left = rules.filter((rule) => !rule.resources.some((resource) => resources.test(resource)))
  await lab.patch(path, { rules: left })
  return () => lab.patch(path, { rules })
}
