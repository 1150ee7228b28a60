/** A credential that ends while a write for it is on its way: the end waits for it, and nothing is left behind. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isNotFound } from '../../src/kube/api-error.ts'
import { eventually } from '../cluster/wait.ts'
import type { Lab } from '../controller/lab.ts'
import type { HttpProxy } from '../kube/http-proxy.ts'
import { startProxied } from './proxied.ts'

let lab: Lab
let proxy: HttpProxy
let end: () => Promise<void>

beforeAll(async () => {
  ;({ lab, proxy, end } = await startProxied())
})

afterAll(() => end())

test('the first Secret of a namespace is on its way when its credential is deleted', async () => {
  const source = await lab.source('flight', { 'ghcr.io': { username: 'robot', password: 'p4ssw0rd-in-flight' } })
  const credential = await lab.credential('flight', { source: { secretRef: { name: source } } })
  await lab.ready(credential)
  const arrive: (() => Promise<void>)[] = []
  const name = lab.unique('flight')
  proxy.interfere = (method, { pathname }) => {
    if (method !== 'PATCH' || !pathname.includes(`/${name}/secrets/`)) return undefined
    return (response, forward) =>
      void arrive.push(async () => {
        const { code, body } = await forward()
        response.writeHead(code, { 'content-type': 'application/json' }).end(body)
      })
  }
  const namespace = await lab.namespace('flight', { [`use.regcred.dev/${credential}`]: 'true' })
  expect(namespace).toBe(name)
  await eventually(() => expect(arrive).toHaveLength(1))
  await lab.deleteCredential(credential)
  await eventually(async () => {
    const { status } = await lab.readCredential(credential)
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'Terminating' }))
  })
  await arrive[0]?.()
  const gone = () =>
    lab.client.get(`${credentialsPath}/${credential}`).then(
      () => false,
      (error: unknown) => isNotFound(error),
    )
  await eventually(gone, { describe: `the end of ${credential}` })
  expect(await lab.secret(namespace)).toBeNull()
  expect(await lab.references(namespace)).toEqual([])
})
