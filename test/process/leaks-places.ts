/** All places where people find what the operator says, writes or shows, with what stands there. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { credentialsPath } from '../../src/controller/watches.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import type { RunningOperator } from '../cluster/operator.ts'
import { type Lab, operatorNamespace } from '../controller/lab.ts'
import type { Places, Secrets } from '../support/canary.ts'

const root = join(import.meta.dirname, '..', '..')

/** What a running operator shows. */
export async function shownBy({ pid, healthUrl, metrics }: RunningOperator): Promise<Places> {
  const answer = async (path: string) => (await fetch(healthUrl + path)).text()
  return {
    metrics: await metrics(),
    '/healthz': await answer('/healthz?verbose'),
    '/readyz': await answer('/readyz?verbose'),
    'the arguments of all processes': everyCommandLine(),
    'the environment of the operator': readFileSync(`/proc/${pid}/environ`, 'utf8'),
  }
}

/** What is left of it in the cluster, but for the data of Secrets. */
export async function leftInCluster(lab: Lab, namespaces: readonly string[]): Promise<Places> {
  const list = async (path: string) => (await lab.client.get<KubeList<KubeObject>>(path)).items ?? []
  const listAll = async (resource: string, group = 'api/v1') => {
    const paths = [...namespaces, operatorNamespace].map((each) => `/${group}/namespaces/${each}/${resource}`)
    return (await Promise.all(paths.map(list))).flat()
  }
  const secrets = (await listAll('secrets')).filter(({ metadata: { name } }) => /^regcred(-operator-.+)?$/.test(name))
  const audit = (await lab.cluster.auditLog()).filter(({ user }) => user.endsWith(':regcred-operator'))
  return {
    'the credentials': JSON.stringify(await list(credentialsPath)),
    'the Events': JSON.stringify(await list('/apis/events.k8s.io/v1/events')),
    'metadata of the Secrets': JSON.stringify(secrets.map(({ metadata }) => metadata)),
    'the ServiceAccounts': JSON.stringify(await listAll('serviceaccounts')),
    'the Leases': JSON.stringify(await listAll('leases', 'apis/coordination.k8s.io/v1')),
    'the audit log': JSON.stringify(audit),
  }
}

/** Folders of its own for a process to write to, and where else it might. */
export class Disk {
  readonly env: { TMPDIR: string; HOME: string }
  readonly #since = Date.now()

  constructor(folder: string) {
    this.env = { TMPDIR: folder, HOME: folder }
  }

  /** What was written since, by anybody. */
  written(): Places {
    const places: Record<string, string> = {}
    const visit = (folder: string, since: number) => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name)
        if (entry.isDirectory() && !['node_modules', '.git'].includes(entry.name)) visit(path, since)
        if (entry.isFile() && statSync(path).mtimeMs >= since) places[path] = `${path}\n${readFileSync(path, 'latin1')}`
      }
    }
    visit(this.env.TMPDIR, 0)
    visit(root, this.#since)
    return places
  }

  /** Files and folders that were left in its own folders. */
  left(): string[] {
    return readdirSync(this.env.TMPDIR, { recursive: true, encoding: 'utf8' })
  }
}

/** What the operator proves itself with to the API server, and signs its marks with. */
export async function ownSecrets({ pid }: RunningOperator, lab: Lab): Promise<Secrets> {
  const [, kubeconfig = ''] = /--kubeconfig=([^\0]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? []
  const [, token = ''] = /"?token"?:\s*"?([\w.-]+)/.exec(readFileSync(kubeconfig, 'utf8')) ?? []
  if (token === '') throw new Error(`no token in ${kubeconfig}`)
  const key = await lab.secret(operatorNamespace, 'regcred-operator-key')
  const texts = Object.values(key?.data ?? {})
  if (texts.length === 0) throw new Error('the operator has no key of its own')
  const keys = texts.flatMap((text) => [text.replace(/=+$/, ''), Buffer.from(text, 'base64').toString('hex')])
  return { "the operator's token": token, ...Object.fromEntries(keys.map((each, n) => [`its key (${n})`, each])) }
}

function everyCommandLine(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(commandLine).join('\n')
}

/** Of a process that has ended meanwhile it is empty. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
