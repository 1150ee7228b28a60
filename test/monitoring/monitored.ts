/**
 * An installation that is monitored as docs/reference/metrics.md says: two replicas that serve /metrics over HTTPS, and a Prometheus
 * with a token of its own and the rules of config/monitoring. Its credentials fare well and badly, so that there is
 * something to see.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { parse } from 'yaml'
import { startDemoRegistry } from '../../scripts/demo-registry.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'
import { freePorts } from '../cluster/ports.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { LeaseIssuer } from '../controller/lease-issuer.ts'
import { type Prometheus, startPrometheus } from '../parts/prometheus.ts'

export const root = join(import.meta.dirname, '..', '..')

export interface Monitored {
  lab: Lab
  prometheus: Prometheus
  /** Gives logins to the credential `leased`, of so many seconds. */
  issuer: LeaseIssuer
  /** `/metrics` of the replica that leads. */
  scrape(): Promise<string>
  stop(): Promise<void>
}

/** The rules of config/monitoring, as Prometheus reads them. */
export function rules(): string {
  const { spec } = parse(readFileSync(join(root, 'config', 'monitoring', 'prometheus-rule.yaml'), 'utf8'))
  return JSON.stringify(spec)
}

/** @param lifeSeconds of the logins that `issuer` gives */
export async function startMonitored({ lifeSeconds }: { lifeSeconds: number }): Promise<Monitored> {
  const cluster = await startCluster()
  await installOperator(cluster)
  const ports = await freePorts(2)
  const replicas = await Promise.all(
    ports.map((port) => startOperator({ cluster, replica: true, args: [`--metrics-bind-address=0.0.0.0:${port}`] })),
  )
  const tokenFile = await createToken(cluster)
  const prometheus = await startPrometheus(configOf(cluster, ports, tokenFile))
  const lab = new Lab(cluster)
  const registry = await startDemoRegistry('robot:taken-password')
  const issuer = await LeaseIssuer.start(lab, 'leased')
  issuer.seconds = lifeSeconds
  await populate(lab, registry.host, issuer)
  return {
    lab,
    prometheus,
    issuer,
    scrape: async () => {
      const texts = await Promise.all(ports.map((port) => scrape(port, tokenFile)))
      return texts.find((text) => /^leader_election_master_status\{.*\} 1$/m.test(text)) ?? ''
    },
    stop: async () => {
      await lab.client.close()
      await Promise.all([prometheus.stop(), registry.stop(), issuer.server.stop()])
      await Promise.all(replicas.map((replica) => replica.kill()))
      await cluster.stop()
    },
  }
}

/** As docs/reference/metrics.md lets Prometheus in. @returns the file with its token */
async function createToken(cluster: OwnedCluster): Promise<string> {
  await cluster.kubectl('create', 'namespace', 'monitoring')
  await cluster.kubectl('create', 'serviceaccount', 'prometheus', '-n', 'monitoring')
  const right = ['regcred-metrics-reader', '--clusterrole=regcred-metrics-reader']
  await cluster.kubectl('create', 'clusterrolebinding', ...right, '--serviceaccount=monitoring:prometheus')
  const file = join(cluster.dir, 'prometheus-token')
  const token = await cluster.kubectl('create', 'token', 'prometheus', '-n', 'monitoring')
  writeFileSync(file, token.trim(), { mode: 0o600 })
  return file
}

function configOf({ dir }: OwnedCluster, ports: readonly number[], tokenFile: string): string {
  const rulesFile = join(dir, 'rules.yaml')
  writeFileSync(rulesFile, rules())
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [
      {
        job_name: 'regcred-operator',
        scheme: 'https',
        authorization: { credentials_file: tokenFile },
        tls_config: { insecure_skip_verify: true },
        static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }],
      },
    ],
  })
}

async function scrape(port: number, tokenFile: string): Promise<string> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  const headers = { authorization: `Bearer ${readFileSync(tokenFile, 'utf8')}` }
  const { body } = await request(`https://127.0.0.1:${port}/metrics`, { dispatcher, headers })
  const text = await body.text()
  await dispatcher.close()
  return text
}

/** One login that the registry takes and one that it refuses, one that is renewed, and a namespace with a foreign Secret. */
async function populate(lab: Lab, host: string, issuer: LeaseIssuer): Promise<void> {
  const teams = await Promise.all(['team-a', 'team-b', 'team-c'].map((name) => lab.namespace(name)))
  const foreign = await lab.namespace('team-foreign')
  await lab.client.create(
    `/api/v1/namespaces/${foreign}/secrets`,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'regcred' }, stringData: { of: 'somebody else' } },
    { fieldManager: 'test' },
  )
  const namespaces = { include: teams, optIn: true }
  const given = async (name: string, password: string) => {
    const source = await lab.source(name, { [host]: { username: 'robot', password } })
    await lab.credential(name, { source: { secretRef: { name: source } }, namespaces, verify: { policy: 'Warn' } })
  }
  await given('taken', 'taken-password')
  await given('refused', 'refused-password')
  await lab.credential('leased', {
    source: issuer.source,
    registries: ['registry.example.com'],
    namespaces: { include: [...teams, foreign], optIn: true },
  })
  await eventually(async () => {
    const { status } = await lab.readCredential(lab.unique('leased'))
    if (status?.namespaces?.summary !== '3/4') throw new Error(JSON.stringify(status))
  })
}
