/** What a controller tells about itself: `/healthz` and `/readyz` to the kubelet's probes, `/metrics` to Prometheus. */
import { type Check, runChecks } from './checks.ts'
import type { Metrics } from './metrics.ts'
import { plainText, type Route, type Routes } from './server.ts'

/** `/healthz` fails: restart me. `/readyz` fails: not working yet, or no longer. */
export function probeRoutes(checks: { healthz: readonly Check[]; readyz: readonly Check[] }): Routes {
  return { '/healthz': checkRoute('healthz', checks.healthz), '/readyz': checkRoute('readyz', checks.readyz) }
}

/** `/metrics` in Prometheus' text format. */
export function metricsRoutes(metrics: Metrics): Routes {
  return {
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
  }
}

function checkRoute(title: string, checks: readonly Check[]): Route {
  return (query) => {
    const { ok, text } = runChecks(title, checks, query.has('verbose'))
    return plainText(ok ? 200 : 500, text)
  }
}
