/** config/monitoring as kustomize builds it: taken by the real API server with the CRDs of the prometheus-operator, and of one piece. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { established } from '../cluster/established.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { CRD_FILES } from '../parts/monitoring-crds.ts'
import { partDir } from '../parts/parts.ts'
import { root } from './monitored.ts'

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  spec: Record<string, unknown>
  data?: Record<string, string>
}

const cluster = sharedCluster()
const crds = CRD_FILES.map((file) => join(partDir('monitoring-crds'), file))
let folder: string
let manifests: Manifest[]

beforeAll(async () => {
  for (const file of crds) {
    await cluster.kubectl('apply', '--server-side', '-f', file)
    await established(cluster, '-f', file)
  }
  folder = mkdtempSync(join(tmpdir(), 'monitoring-'))
  const path = (name: string) => relative(folder, join(root, 'config', name))
  const kustomization = { resources: [path('default')], components: [path('monitoring')] }
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  manifests = parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((document) => document.toJS())
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  for (const file of crds) await cluster.kubectl('delete', '-f', file, '--wait=false')
})

function find(kind: string, name = 'regcred-operator'): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}`)
  return found
}

test('the API server takes everything, and knows every field', async () => {
  const items = manifests.map((manifest) => ({ ...manifest }))
  const file = join(folder, 'all.json')
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
  const output = await cluster.kubectl('apply', ...flags, '-f', file)
  for (const applied of [
    'prometheusrule.monitoring.coreos.com/regcred-operator',
    'servicemonitor.monitoring.coreos.com/regcred-operator',
    'service/regcred-operator-metrics',
    'configmap/regcred-operator-dashboard',
    'clusterrolebinding.rbac.authorization.k8s.io/regcred-metrics-reader',
  ]) {
    expect(output).toContain(`${applied} serverside-applied`)
  }
})

test('the ServiceMonitor finds the Service, and the Service the port of the pods', () => {
  const monitor = find('ServiceMonitor').spec as {
    jobLabel: string
    selector: { matchLabels: object }
    endpoints: { port: string }[]
  }
  const service = find('Service', 'regcred-operator-metrics')
  const { selector, ports } = service.spec as { selector: object; ports: { name: string; targetPort: string }[] }
  const { template } = find('Deployment').spec as {
    template: { metadata: { labels: object }; spec: { containers: { ports: { name: string }[] }[] } }
  }
  expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels)
  expect(service.metadata.labels?.[monitor.jobLabel]).toBe('regcred-operator')
  expect(monitor.endpoints.map(({ port }) => port)).toEqual(ports.map(({ name }) => name))
  expect(template.metadata.labels).toMatchObject(selector)
  const names = template.spec.containers.flatMap((container) => container.ports.map(({ name }) => name))
  expect(names).toEqual(expect.arrayContaining(ports.map(({ targetPort }) => targetPort)))
})

test('the dashboard is in a ConfigMap that the sidecar of Grafana finds, under one name', () => {
  const { metadata, data } = find('ConfigMap', 'regcred-operator-dashboard')
  expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' })
  const file = readFileSync(join(root, 'config', 'monitoring', 'dashboard.json'), 'utf8')
  expect(data).toEqual({ 'regcred-operator.json': file })
})
