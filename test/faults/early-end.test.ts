/** A credential that is gone before it has our finalizer: nothing was issued for it that nobody would end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { stateSecretPrefix } from '../../src/api/names.ts'
import { eventually } from '../cluster/wait.ts'
import type { Lab } from '../controller/lab.ts'
import type { HttpProxy } from '../kube/http-proxy.ts'
import { startProxied } from '../process/proxied.ts'

let lab: Lab
let proxy: HttpProxy
let end: () => Promise<void>

beforeAll(async () => {
  ;({ lab, proxy, end } = await startProxied())
})

afterAll(() => end())

/** Without their tokens. */
const requests = () => proxy.requests.map(({ method, url }) => `${method} ${url.pathname}`)

test('its source is not asked before the finalizer is on, and nothing is kept of it', async () => {
  const source = await lab.source('early', { 'ghcr.io': { username: 'robot', password: 'password-of-early' } })
  const held: (() => Promise<unknown>)[] = []
  proxy.interfere = (method, { pathname }) => {
    if (method !== 'PATCH' || !/\/registrycredentials\/[^/]+$/.test(pathname)) return undefined
    return (response, forward) =>
      void held.push(async () => {
        const { code, body } = await forward()
        response.writeHead(code, { 'content-type': 'application/json' }).end(body)
      })
  }
  const credential = await lab.credential('early', {
    source: { secretRef: { name: source } },
    namespaces: { include: ['none'], optIn: true },
  })
  await eventually(() => expect(held).toHaveLength(1))
  await sleep(1_000) // in which the source could be asked
  const asked = () => requests().filter((each) => each.startsWith('GET') && each.endsWith(source))
  expect(asked()).toEqual([])
  await lab.deleteCredential(credential)
  await held[0]?.()
  await eventually(async () => await expect(lab.readCredential(credential)).rejects.toThrow('not found'))
  expect(requests().filter((each) => each.startsWith('PATCH') && each.includes(stateSecretPrefix))).toEqual([])

  proxy.interfere = () => undefined
  const second = await lab.credential('later', {
    source: { secretRef: { name: source } },
    namespaces: { include: ['none'], optIn: true },
  })
  await lab.ready(second)
  expect(asked()).toHaveLength(1)
})
