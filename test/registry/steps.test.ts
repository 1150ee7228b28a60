/** What a check tells of its requests, to people who want to see them. */
import { afterAll, expect, test } from '@jest/globals'
import { Outbound } from '../../src/http/outbound.ts'
import { check } from '../../src/registry/check.ts'
import { questionsOf } from '../../src/registry/questions.ts'
import type { Step } from '../../src/registry/registry-client.ts'
import { freePorts } from '../cluster/ports.ts'
import { servers } from '../http/servers.ts'
import { bearer, entry, type Script, scripted } from './scripted.ts'

const server = servers()
const outbound = new Outbound({ caFiles: [], insecureHosts: [], env: {} })
afterAll(() => outbound.close())

/** Each step as `GET http://HOST/v2/ with nothing: 401 Bearer`. */
async function stepsAt(host: string, login: string): Promise<string[]> {
  const steps: Step[] = []
  const { questions } = questionsOf(new Map([[host, entry(login)]]), `${host}/team/app:1`)
  const { signal } = new AbortController()
  const way = { fetch: outbound.fetch, signal, onStep: (step: Step) => steps.push(step) }
  for (const question of questions) await check(question, way, () => {})
  return steps.map(({ method, url, proof, answer, asksFor }) =>
    [`${method} ${url.replaceAll(host, 'HOST')} with ${proof}: ${answer}`, ...asksFor].join(' '),
  )
}

const withTokens: Script = ({ line, token, login }, origin) => {
  if (line === 'GET /token') return { status: 200, body: { token: login ?? 'anybody' } }
  if (line === 'GET /v2/') return bearer(`${origin}/token`)
  return { status: token === 'alice:secret' ? 200 : 401 }
}

test('each request with what it proves, and what it was answered', async () => {
  const { host } = await scripted(server, withTokens)
  const token = 'http://HOST/token?service=service&scope=repository%3Ateam%2Fapp%3Apull'
  expect(await stepsAt(host, 'alice:secret')).toEqual([
    expect.stringMatching(/^GET https:\/\/HOST\/v2\/ with nothing: no usable answer from /),
    'GET http://HOST/v2/ with nothing: 401 Bearer',
    `GET ${token} with login: 200`,
    'HEAD http://HOST/v2/team/app/manifests/1 with token: 200',
    `GET ${token} with nothing: 200`,
    'HEAD http://HOST/v2/team/app/manifests/1 with token: 401',
  ])
})

test('a login by Basic, and a challenge that names schemes of its own', async () => {
  const challenge = 'Basic realm="r", Negotiate'
  const { host } = await scripted(server, ({ login }) =>
    login === undefined ? { status: 401, headers: { 'www-authenticate': challenge } } : { status: 403 },
  )
  expect(await stepsAt(host, 'alice:secret')).toEqual([
    expect.stringContaining('https://HOST/v2/'),
    'GET http://HOST/v2/ with nothing: 401 Basic',
    'GET http://HOST/v2/ with login: 403',
  ])
})

test('a registry that is not there', async () => {
  const [port] = await freePorts(1)
  const steps = await stepsAt(`127.0.0.1:${port}`, 'alice:secret')
  expect(steps).toEqual([expect.stringContaining('ECONNREFUSED'), expect.stringContaining('ECONNREFUSED')])
})
