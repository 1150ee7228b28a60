/**
 * What the tests of the loops share: objects made and read as an admin on the control plane of the run, with names of
 * their own, so that test files can run side by side. All that was made is taken away again at the end.
 */
import { randomUUID } from 'node:crypto'
import { KubeConfig } from '@kubernetes/client-node'
import type { RegistryCredential, RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isNotFound } from '../../src/kube/api-error.ts'
import { KubeClient } from '../../src/kube/client.ts'
import type { KubeList, KubeObject } from '../../src/kube/objects.ts'
import type { Cluster } from '../cluster/access.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { type EventuallyOptions, eventually, Hopeless } from '../cluster/wait.ts'
import { complaintsAbout } from '../model/kstatus.ts'

export interface Secret extends KubeObject {
  type: string
  data?: Record<string, string>
}

export interface ServiceAccount extends KubeObject {
  imagePullSecrets?: { name?: string }[]
}

/** A login as it stands in a docker config. */
export interface Login {
  username: string
  password: string
}

/** The registries of most tests are made up. */
export const unverified = { verify: { policy: 'Skip' } } as const

export const operatorNamespace = 'regcred-system'

export class Lab {
  readonly cluster: Cluster
  readonly client: KubeClient
  readonly #suffix = randomUUID().slice(0, 6)
  readonly #made: string[] = []

  constructor(cluster: Cluster = sharedCluster()) {
    const kubeConfig = new KubeConfig()
    kubeConfig.loadFromFile(cluster.adminKubeconfig)
    this.cluster = cluster
    // Longer than the operator waits: a busy machine is no failure of a test.
    this.client = new KubeClient({ kubeConfig, version: 'test', timeoutMs: 60_000 })
  }

  /** A name that no other test uses; it begins with `name`. */
  unique(name: string): string {
    return `${name}-${this.#suffix}`
  }

  /**
   * Makes a namespace and returns its name, which is unique, when the controller manager has made its ServiceAccount
   * `default`: until then a credential is Ready without it.
   */
  async namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
    const namespace = await this.newbornNamespace(name, labels)
    const timeoutMs = 300_000 // with many namespaces the controller manager takes its time
    await eventually(() => this.serviceAccount(namespace), { timeoutMs, describe: `a ServiceAccount in ${namespace}` })
    return namespace
  }

  /** The same, with nothing in it yet. */
  async newbornNamespace(name: string, labels: Record<string, string> = {}): Promise<string> {
    const metadata = { name: this.unique(name), labels }
    await this.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
    return metadata.name
  }

  /** Makes a source Secret of type kubernetes.io/dockerconfigjson and returns its name, which is unique. */
  async source(name: string, auths: Record<string, Login>): Promise<string> {
    const secret = sourceSecret(this.unique(name), auths)
    await this.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, secret)
    return secret.metadata.name
  }

  /** Changes the logins of a source. */
  async rotate(source: string, auths: Record<string, Login>): Promise<void> {
    const { data } = sourceSecret(source, auths)
    await this.patch(`/api/v1/namespaces/${operatorNamespace}/secrets/${source}`, { data })
  }

  /** Makes a RegistryCredential, which asks no registry unless the spec says so. Returns its name, which is unique. */
  async credential(name: string, given: Partial<RegistryCredentialSpec>): Promise<string> {
    const metadata = { name: this.unique(name) }
    const spec = { ...unverified, ...given }
    await this.create(credentialsPath, { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata, spec })
    return metadata.name
  }

  /** Fails for good where the status breaks the rules of kstatus: no later one would mend that there was this one. */
  async readCredential(name: string): Promise<RegistryCredential> {
    const credential = await this.readForged(name)
    const complaints = complaintsAbout(credential.status ?? {})
    if (complaints.length === 0) return credential
    throw new Hopeless(`the status of ${name}: ${complaints.join(', ')}: ${JSON.stringify(credential.status)}`)
  }

  /** A credential whose status may be of somebody else's making. */
  async readForged(name: string): Promise<RegistryCredential> {
    return await this.client.get(`${credentialsPath}/${name}`)
  }

  async patchCredential(name: string, spec: Record<string, unknown>): Promise<void> {
    await this.patch(`${credentialsPath}/${name}`, { spec })
  }

  async deleteCredential(name: string): Promise<void> {
    await this.client.delete(`${credentialsPath}/${name}`)
  }

  /** Waits until the credential is Ready at its present generation, and returns it. */
  async ready(name: string, options: EventuallyOptions = {}): Promise<RegistryCredential> {
    return await this.condition(name, 'Ready', 'True', options)
  }

  /** Waits until a condition of the credential has this status at its present generation, and returns the credential. */
  async condition(
    name: string,
    type: string,
    status: string,
    options: EventuallyOptions = {},
  ): Promise<RegistryCredential> {
    const reached = async () => {
      const credential = await this.readCredential(name)
      const condition = credential.status?.conditions?.find((each) => each.type === type)
      const current = condition?.observedGeneration === credential.metadata.generation
      if (current && condition?.status === status) return credential
      throw new Error(`${name}: ${JSON.stringify(credential.status)}`)
    }
    return await eventually(reached, { describe: `${type}=${status} of ${name}`, ...options })
  }

  /** The target Secret of a namespace; null when there is none. */
  async secret(namespace: string, name = 'regcred'): Promise<Secret | null> {
    return await this.#find<Secret>(secretPath(namespace, name))
  }

  async serviceAccount(namespace: string, name = 'default'): Promise<ServiceAccount | null> {
    return await this.#find<ServiceAccount>(serviceAccountPath(namespace, name))
  }

  /** The names in `imagePullSecrets`. */
  async references(namespace: string, serviceAccount = 'default'): Promise<string[]> {
    return ((await this.serviceAccount(namespace, serviceAccount))?.imagePullSecrets ?? []).map(
      ({ name }) => name ?? '',
    )
  }

  /** The docker config in the target Secret of a namespace: key → username and password; null when there is no Secret. */
  async logins(namespace: string, name = 'regcred'): Promise<Record<string, Login> | null> {
    const secret = await this.secret(namespace, name)
    return secret && loginsOf(secret)
  }

  /** Notes and reasons of the Events about an object. */
  async events(name: string, namespace = 'default'): Promise<{ reason: string; note: string; type: string }[]> {
    type Event = KubeObject & { regarding: { name: string }; reason: string; note: string; type: string }
    const { items } = await this.client.get<KubeList<Event>>(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)
    return (items ?? []).filter(({ regarding }) => regarding.name === name)
  }

  /** Puts labels on a namespace; null takes one off. */
  async label(namespace: string, labels: Record<string, string | null>): Promise<void> {
    await this.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels } })
  }

  async create<T extends KubeObject>(path: string, object: object): Promise<T> {
    const made = await this.client.create<T>(path, object, { fieldManager: 'test' })
    this.#made.push(`${path}/${made.metadata.name}`)
    return made
  }

  async patch(path: string, patch: object): Promise<void> {
    await this.client.mergePatch(path, patch, { fieldManager: 'test' })
  }

  /** Takes away all that was made through this lab, whether an operator is running or not. */
  async close(): Promise<void> {
    for (const path of this.#made.reverse()) {
      await ignoreMissing(this.client.delete(path))
      // Only now: a running operator would put its finalizer on one that is not being deleted again.
      if (path.startsWith(credentialsPath)) await ignoreMissing(this.patch(path, { metadata: { finalizers: null } }))
    }
    await this.client.close()
  }

  async #find<T>(path: string): Promise<T | null> {
    try {
      return await this.client.get<T>(path)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }
}

export function secretPath(namespace: string, name = 'regcred'): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`
}

export function serviceAccountPath(namespace: string, name = 'default'): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`
}

export function loginsOf(secret: Secret): Record<string, Login> {
  const text = Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString()
  const { auths } = JSON.parse(text) as { auths: Record<string, Login> }
  return Object.fromEntries(Object.entries(auths).map(([key, { username, password }]) => [key, { username, password }]))
}

function sourceSecret(name: string, auths: Record<string, Login>) {
  const text = JSON.stringify({ auths })
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: operatorNamespace },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
  }
}

async function ignoreMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
