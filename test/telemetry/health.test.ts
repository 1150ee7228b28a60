import { describe, expect, test } from '@jest/globals'
import { metricsRoutes, probeRoutes } from '../../src/telemetry/health.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { start } from './servers.ts'

describe('the probes', () => {
  let problem: string | undefined
  const routes = probeRoutes({
    healthz: [{ name: 'ping', check: () => undefined }],
    readyz: [{ name: 'caches', check: () => problem }],
  })

  test('answer ok while all is well', async () => {
    const { url } = await start(routes)
    const answer = await fetch(`${url}/healthz`)
    expect([answer.status, await answer.text()]).toEqual([200, 'ok'])
  })

  test('list their checks on ?verbose', async () => {
    const { url } = await start(routes)
    const answer = await fetch(`${url}/readyz?verbose`)
    expect([answer.status, await answer.text()]).toEqual([200, '[+]caches ok\nreadyz check passed\n'])
  })

  test('fail with 500 while a check fails, each for its own', async () => {
    const { url } = await start(routes)
    problem = 'not synced'
    const answer = await fetch(`${url}/readyz`)
    expect([answer.status, await answer.text()]).toEqual([500, '[-]caches failed: not synced\nreadyz check failed\n'])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    problem = undefined
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })
})

test('the metrics are served in the text format of Prometheus', async () => {
  const { url } = await start(metricsRoutes(new Metrics('a-lease')))
  const answer = await fetch(`${url}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await answer.text()).toContain('\nleader_election_master_status{name="a-lease"} 0\n')
})
