/**
 * The wall clock of the operator's machine is wrong, or is set while it works: ahead by a day, back, and put right. The
 * issuer on loopback gives lifetimes in seconds, which the operator adds to what its own clock says.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { operatorName } from '../../src/api/names.ts'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import {
  OPERATOR_HOOK_TIMEOUT_MS,
  type OperatorOptions,
  type RunningOperator,
  startOperator,
} from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { LeaseIssuer } from '../controller/lease-issuer.ts'

const registry = 'registry.example.com'
const day = 86_400_000
/** In seconds. */
const twelveHours = 43_200
const month = 30 * 86_400
/** Of credentials that come together. */
const crowd = 200

let cluster: OwnedCluster
let lab: Lab
let operators: RunningOperator[]
const issuers: LeaseIssuer[] = []

beforeAll(async () => {
  cluster = await startCluster()
  await installOperator(cluster)
  lab = new Lab(cluster)
  operators = []
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await Promise.all(operators.map((operator) => operator.kill()))
  await Promise.all(issuers.map(({ server }) => server.stop()))
  await cluster.stop()
})

/** Sets the wall clock of the operators that read this file, in milliseconds from the truth. */
function setClock(file: string, ms: number): void {
  writeFileSync(join(cluster.dir, file), String(ms))
}

async function start(file: string, options: OperatorOptions = {}): Promise<RunningOperator> {
  const shim = join(import.meta.dirname, 'shifted-clock.ts')
  const operator = await startOperator({
    cluster,
    command: [process.execPath, '--disable-warning=ExperimentalWarning', `--import=${shim}`, 'src/main.ts'],
    env: { CLOCK_FILE: join(cluster.dir, file) },
    ...options,
  })
  operators.push(operator)
  return operator
}

async function startIssuer(name: string, seconds: number): Promise<LeaseIssuer> {
  const issuer = await LeaseIssuer.start(lab, name)
  issuers.push(issuer)
  issuer.seconds = seconds
  return issuer
}

/** An issuer, and a credential of its logins for one namespace, which has the first. */
async function serve(name: string, seconds: number) {
  const issuer = await startIssuer(name, seconds)
  const namespace = await lab.namespace(name)
  const namespaces = { include: [namespace], optIn: true }
  const credential = await lab.credential(name, { source: issuer.source, registries: [registry], namespaces })
  const arrived = () =>
    eventually(async () => {
      expect(issuer.latest).toBeDefined()
      expect(await lab.logins(namespace)).toEqual({ [registry]: issuer.latest })
    })
  await arrived()
  return { issuer, namespace, credential, arrived }
}

const spec = ({ source }: LeaseIssuer): Partial<RegistryCredentialSpec> => ({ source, registries: [registry] })

describe('an operator whose clock is set', () => {
  const file = 'clock'
  let operator: RunningOperator
  let ending: Awaited<ReturnType<typeof serve>>
  let failing: Awaited<ReturnType<typeof serve>>
  let lasting: Awaited<ReturnType<typeof serve>>
  let short: Awaited<ReturnType<typeof serve>>
  let sentinels = 0

  beforeAll(async () => {
    setClock(file, 0)
    operator = await start(file)
    ending = await serve('ending', twelveHours)
    failing = await serve('failing', twelveHours)
    lasting = await serve('lasting', month)
    short = await serve('short', 26)
  }, OPERATOR_HOOK_TIMEOUT_MS)

  /** Sets the clock, and waits until the operator has seen it. */
  async function jump(ms: number): Promise<void> {
    const seen = () => operator.logs().split('the clock has jumped').length
    const before = seen()
    setClock(file, ms)
    await eventually(() => expect(seen()).toBe(before + 1))
  }

  /** All that was to be done at once has been begun by then, and more has not. */
  async function settled(): Promise<void> {
    await serve(`sentinel-${++sentinels}`, month)
  }

  const asked = () => [ending, lasting].map(({ issuer }) => issuer.asked)

  test('ahead by a day takes out what has ended, or has it renewed once, and asks for nothing else', async () => {
    failing.issuer.fail(503)
    await jump(day)
    await eventually(async () => expect(await lab.logins(failing.namespace)).toEqual({}))
    await eventually(() => expect(ending.issuer.asked).toBe(2))
    await ending.arrived()
    await settled()
    expect(asked()).toEqual([2, 1])
  })

  test('back to the truth gives back what is still good, also where the issuer is down, and asks for nothing', async () => {
    await jump(0)
    const [login] = [...failing.issuer.leases.values()].map((lease) => lease.login)
    await eventually(async () => expect(await lab.logins(failing.namespace)).toEqual({ [registry]: login }))
    await settled()
    expect(asked()).toEqual([2, 1])
    await ending.arrived()
  })

  test('back by a day renews by what has passed, and asks for nothing before', async () => {
    await jump(-day)
    const renewed = short.issuer.leases.size
    failing.issuer.heal()
    await eventually(() => expect(short.issuer.leases.size).toBeGreaterThan(renewed + 1))
    await short.arrived()
    await lab.condition(failing.credential, 'Ready', 'True')
    await eventually(() => expect(failing.issuer.leases.size).toBe(2), { timeoutMs: 360_000 })
    await settled()
    expect(asked()).toEqual([2, 1])
  }, 400_000)

  test('back by a day before a restart has what comes from the future renewed, once', async () => {
    for (const times of [1, 2]) {
      await operator.stop()
      operator = await start(file)
      await eventually(() => expect(asked()).toEqual([3, 2]), { describe: `start ${times}` })
      await ending.arrived()
      await lasting.arrived()
      await settled()
      expect(asked()).toEqual([3, 2])
    }
  })

  test('ahead by a day is no storm: what has ended comes first, four at a time; the rest is spread', async () => {
    const one = await startIssuer('crowd', twelveHours)
    const later = await startIssuer('later', day / 1000 + 3_600)
    const many = await Promise.all(Array.from({ length: crowd }, (_, index) => startIssuer(`of-${index}`, twelveHours)))
    for (const [index, each] of many.entries()) {
      await lab.credential(`crowd-${index}`, spec(one))
      await lab.credential(`each-${index}`, spec(each))
      await lab.credential(`later-${index}`, spec(later))
    }
    const all = [one, later, ...many]
    const total = () => all.map(({ leases }) => leases.size)
    await eventually(() => expect(total()).toEqual([crowd, crowd, ...many.map(() => 1)]), { timeoutMs: 300_000 })
    await jump(0)
    await eventually(
      () => expect([one, ...many].map(({ leases }) => leases.size)).toEqual([2 * crowd, ...many.map(() => 2)]),
      {
        timeoutMs: 300_000,
      },
    )
    // These are due as well, but good for another hour.
    expect(later.asked).toBeLessThan(2 * crowd)
    await eventually(() => expect(later.asked).toBeGreaterThan(crowd))
    await settled()
    expect([one, ...many].map(({ asked }) => asked)).toEqual([2 * crowd, ...many.map(() => 2)])
    expect(later.asked).toBeLessThanOrEqual(2 * crowd)
    expect(one.server.concurrency.most).toBeLessThanOrEqual(4)
    expect(later.server.concurrency.most).toBeLessThanOrEqual(4)
  }, 900_000)
})

test('two replicas whose clocks are a day apart never lead both', async () => {
  await Promise.all(operators.map((operator) => operator.kill()))
  const leads = async (operator: RunningOperator) =>
    /^leader_election_master_status\{.*\} 1$/m.test(await operator.metrics())
  const path = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/${operatorName}`
  const lease = async () => {
    type Lease = { metadata: { resourceVersion: string }; spec: { leaseTransitions: number } }
    const { metadata, spec } = await lab.client.get<Lease & { metadata: { name: string } }>(path)
    return { version: Number(metadata.resourceVersion), transitions: spec.leaseTransitions }
  }
  setClock('behind', -day)
  setClock('ahead', day)
  for (const [first, second] of [
    ['behind', 'ahead'],
    ['ahead', 'behind'],
  ] as const) {
    const leader = await start(first, { replica: true })
    await eventually(() => leads(leader))
    const follower = await start(second, { replica: true })
    await eventually(() => expect(follower.logs()).toContain('waiting for the lease'))
    const { transitions } = await lease()
    // Longer than the lease lasts without being renewed.
    const versions = new Set<number>()
    await eventually(async () => expect(versions.add((await lease()).version).size).toBeGreaterThan(12))
    expect([await leads(leader), await leads(follower)]).toEqual([true, false])
    expect((await lease()).transitions).toBe(transitions)
    await leader.kill()
    await eventually(() => leads(follower))
    await follower.stop()
  }
})
