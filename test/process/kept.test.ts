/** What is kept of a login, while the API server does not take the write. The operator talks to it through a proxy. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/wait.ts'
import { type Lab, operatorNamespace, type Secret, secretPath } from '../controller/lab.ts'
import { answer, type HttpProxy } from '../kube/http-proxy.ts'
import { startProxied } from './proxied.ts'

let lab: Lab
let proxy: HttpProxy
let end: () => Promise<void>

beforeAll(async () => {
  ;({ lab, proxy, end } = await startProxied())
})

afterEach(() => {
  proxy.interfere = () => undefined
})

afterAll(() => end())

/** Answers all writes of what is kept; how many there were so far. */
function refuse(code: number, reason: string): () => number {
  let refused = 0
  const status = { kind: 'Status', status: 'Failure', code, reason, message: 'not now' }
  proxy.interfere = (method, { pathname }) => {
    if (method !== 'PATCH' || !pathname.includes('regcred-operator-state-')) return undefined
    refused++
    return answer(code, JSON.stringify(status), { 'content-type': 'application/json' })
  }
  return () => refused
}

async function make(name: string): Promise<{ credential: string; uid: string }> {
  const source = await lab.source(name, { 'ghcr.io': { username: 'robot', password: `${name}-p4ssw0rd` } })
  const credential = await lab.credential(name, { source: { secretRef: { name: source } } })
  const { uid } = (await lab.ready(credential)).metadata
  return { credential, uid }
}

/** The uids that something is kept of. */
async function kept(): Promise<string[]> {
  const { items } = await lab.client.get<{ items: Secret[] }>(secretPath(operatorNamespace, '').replace(/\/$/, ''))
  const states = items.filter(({ metadata }) => metadata.name.startsWith('regcred-operator-state-'))
  return states.flatMap(({ data = {} }) => Object.keys(data))
}

test('what is kept of a credential goes with it, also where the API server does not hear of it at first', async () => {
  const { credential, uid } = await make('gone')
  expect(await kept()).toContain(uid)
  const refused = refuse(503, 'ServiceUnavailable')
  await lab.deleteCredential(credential)
  await eventually(() => expect(refused()).toBeGreaterThan(1))
  expect(await kept()).toContain(uid)
  proxy.interfere = () => undefined
  await eventually(async () => expect(await kept()).not.toContain(uid))
})

test('a login that may not be kept is used and told about, and kept when it may', async () => {
  const refused = refuse(403, 'Forbidden')
  const { credential, uid } = await make('forbidden')
  await eventually(async () => {
    expect((await lab.events(credential)).map(({ reason }) => reason)).toContain('NotKept')
  })
  expect([1, 2]).toContain(refused()) // once more where its source was seen late
  expect(await kept()).not.toContain(uid)
  proxy.interfere = () => undefined
  await eventually(async () => expect(await kept()).toContain(uid), { timeoutMs: 110_000 })
})
