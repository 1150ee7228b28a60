/** An operator that starts takes nothing back that the one before has told about stuck pods. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from './lab.ts'
import { login, makePod, missing, stuckOf, wait } from './pods-lab.ts'
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

/** What `status.pods.stuck` is from now on, also for a moment. */
function follow(credential: string) {
  const abort = new AbortController()
  const seen: unknown[] = []
  const query = { watch: true, fieldSelector: `metadata.name=${credential}` }
  const onLine = (line: string) => {
    const stuck: unknown = JSON.parse(line).object.status?.pods?.stuck
    if (stuck !== seen.at(-1)) seen.push(stuck)
  }
  const done = lab.client.watch(credentialsPath, { query, signal: abort.signal, onLine }).catch(() => {})
  const end = async () => {
    abort.abort()
    await done
  }
  return { seen, end }
}

test(
  'the count of stuck pods stays until they have been looked at again',
  async () => {
    const source = await lab.source('restart', login)
    const [first, second] = [await lab.namespace('restart-a'), await lab.namespace('restart-b')]
    await wait(lab, await makePod(lab, first, 'one'), missing)
    const spec = { source: { secretRef: { name: source } }, namespaces: { include: [first, second], optIn: true } }
    const pod = await makePod(lab, second, 'two')
    const credential = await lab.credential('restart', spec)
    await eventually(async () => expect(await stuckOf(lab, credential)).toBe(1))
    const { seen, end } = follow(credential)
    await eventually(() => expect(seen).toEqual([1]))
    await operator.whileDown(async () => {})
    await wait(lab, pod, missing)
    await eventually(() => expect(seen.at(-1)).toBe(2))
    expect(seen).toEqual([1, 2])
    await operator.whileDown(() => lab.client.delete(`/api/v1/namespaces/${second}/pods/two`).then(() => {}))
    await eventually(() => expect(seen.at(-1)).toBe(1))
    expect(seen).toEqual([1, 2, 1])
    await end()
  },
  RESTART_TIMEOUT_MS,
)
