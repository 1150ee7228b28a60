/**
 * A small world for the operator: two credentials whose logins are merged into one Secret per namespace, namespaces of
 * several kinds, and what must become of each. What is true of it at the end of a phase does not depend on what happened
 * on the way.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { dockerConfigJsonKey, managedAnnotation, optOutKey } from '../../src/api/names.ts'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isNotFound } from '../../src/kube/api-error.ts'
import type { OwnedCluster } from '../cluster/cluster.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, loginsOf, type Secret, type ServiceAccount } from '../controller/lab.ts'
import { inParallel } from '../support/in-parallel.ts'
import { passwordOf, registries, versionOf } from './logins.ts'

/** From nothing to all namespaces served; other logins in all of them; all of it taken back. In this order. */
export const phases = ['fan-out', 'rotation', 'removal'] as const
export type Phase = (typeof phases)[number]

/** What namespaces are like; the first three in turn, the others once each. */
type Kind = 'plain' | 'own-reference' | 'left-alone' | 'opted-out' | 'foreign-secret'

export interface Place {
  name: string
  kind: Kind
}

/** What is seen of the world, and of what must be seen: without what differs from run to run. */
export type Picture = Record<string, unknown>

/** A back-off may be at five minutes when a fault ends. */
export const convergeMs = 600_000

const secretName = 'regcred'
/** The ServiceAccount that has opted out, in a namespace `left-alone`. */
export const leftAloneName = 'builder'

export class World {
  readonly lab: Lab
  readonly places: Place[] = []
  readonly #cluster: OwnedCluster
  readonly #name: string
  /** Credential → its source. */
  readonly #sources = new Map<string, string>()
  /** Of the logins; each rotation has a higher one. */
  #version = 1
  #phase: Phase = 'removal'

  private constructor(cluster: OwnedCluster, name: string) {
    this.#cluster = cluster
    this.#name = name
    this.lab = new Lab(cluster)
  }

  /** @param count of namespaces that the credentials are for; one more has opted out, one has a Secret of its own */
  static async make(cluster: OwnedCluster, name: string, count: number): Promise<World> {
    const world = new World(cluster, name)
    const { lab } = world
    const turns: Kind[] = ['plain', 'own-reference', 'left-alone']
    const kinds: Kind[] = [
      ...Array.from({ length: count }, (_, index) => turns[index % turns.length] ?? 'plain'),
      'opted-out',
      'foreign-secret',
    ]
    await inParallel(kinds.entries(), 16, async ([index, kind]) => world.places.push(await world.#settle(index, kind)))
    for (const credential of Object.keys(registries)) {
      world.#sources.set(credential, await lab.source(`${name}-${credential}`, world.#loginOf(credential)))
    }
    return world
  }

  /**
   * Begins a phase; the operator has all the work still to do.
   * @param remove instead of deleting the credentials one by one
   */
  async begin(phase: Phase, remove?: () => Promise<void>): Promise<void> {
    const { lab } = this
    this.#phase = phase
    if (phase === 'rotation') this.#version++
    if (remove) return await remove()
    for (const [credential, source] of this.#sources) {
      if (phase === 'fan-out') await lab.credential(this.#idOf(credential), this.#specOf(source))
      else if (phase === 'rotation') await lab.rotate(source, this.#loginOf(credential))
      else await lab.deleteCredential(this.#nameOf(credential))
    }
  }

  /**
   * Waits until all is as it must be at the end of the phase, and stays so.
   * @returns since when it is, in ms of performance.now()
   * @throws what is not as it must be
   */
  async ended(timeoutMs: number): Promise<number> {
    const expected = this.expected()
    const look = async () => {
      const differences = differencesOf(await this.picture(), expected)
      if (differences.length > 0) throw new Error(`${differences.length} differ: ${differences.slice(0, 5).join('; ')}`)
    }
    await eventually(look, { timeoutMs, describe: `the end of the ${this.#phase}` })
    const at = performance.now()
    await sleep(1_500) // what comes of events that are still on their way
    await eventually(look, { timeoutMs, describe: `the end of the ${this.#phase}, for good` })
    return at
  }

  /** The one that has begun last. */
  get phase(): Phase {
    return this.#phase
  }

  /** What is there now. */
  async picture(): Promise<Picture> {
    const { lab } = this
    const all: Picture = {}
    const places = new Map(this.places.map((place) => [place.name, place]))
    const query = { fieldSelector: `metadata.name=${secretName}` }
    const [secrets, accounts, credentials] = await Promise.all([
      lab.client.get<{ items: Secret[] }>('/api/v1/secrets', { query }),
      lab.client.get<{ items: ServiceAccount[] }>('/api/v1/serviceaccounts'),
      lab.client.get<{ items: RegistryCredential[] }>(credentialsPath).catch(noneWithoutKind),
    ])
    for (const secret of secrets.items) {
      const namespace = secret.metadata.namespace ?? ''
      if (places.has(namespace)) all[`Secret ${namespace}`] = this.#seen(secret)
    }
    for (const { metadata, imagePullSecrets } of accounts.items) {
      const { name, namespace = '', annotations } = metadata
      if (!places.has(namespace)) continue
      const references = (imagePullSecrets ?? []).map((each) => each.name)
      all[`ServiceAccount ${namespace}/${name}`] = { references, managed: annotations?.[managedAnnotation] }
    }
    for (const { metadata, status } of credentials.items) {
      const credential = Object.keys(registries).find((each) => this.#nameOf(each) === metadata.name)
      if (credential === undefined) continue
      all[`RegistryCredential ${credential}`] = {
        conditions: status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
        namespaces: status?.namespaces?.summary,
        failures: status?.failures?.map(({ namespace, reason }) => `${namespace} ${reason}`),
      }
    }
    return all
  }

  /** What must be there at the end of the phase. */
  expected(): Picture {
    const all: Picture = {}
    const isServed = this.#phase !== 'removal'
    const foreign = this.places.find(({ kind }) => kind === 'foreign-secret')?.name
    const served = this.places.filter(({ kind }) => kind !== 'opted-out' && kind !== 'foreign-secret')
    for (const { name, kind } of this.places) {
      const gets = isServed && served.some((each) => each.name === name)
      if (kind === 'foreign-secret') all[`Secret ${name}`] = 'foreign'
      else if (gets) {
        const login = (registry: string, credential: string) => [registry, `${credential}, current`]
        all[`Secret ${name}`] = {
          type: 'kubernetes.io/dockerconfigjson',
          owners: Object.keys(registries).map((credential) => this.#nameOf(credential)),
          logins: Object.fromEntries(Object.entries(registries).map(([credential, key]) => login(key, credential))),
        }
      }
      all[`ServiceAccount ${name}/default`] = {
        references: [...(kind === 'own-reference' ? ['own'] : []), ...(gets ? [secretName] : [])],
        managed: gets ? secretName : undefined,
      }
      if (kind === 'left-alone')
        all[`ServiceAccount ${name}/${leftAloneName}`] = { references: ['own'], managed: undefined }
    }
    for (const credential of isServed ? this.#sources.keys() : []) {
      all[`RegistryCredential ${credential}`] = {
        conditions: ['Ready=False NamespacesFailed', 'Reconciling=True ProgressingWithRetry'],
        namespaces: `${served.length}/${served.length + 1}`,
        failures: [`${foreign} NotOwned`],
      }
    }
    return all
  }

  #loginOf(credential: string): Record<string, Login> {
    const key = registries[credential] ?? ''
    return { [key]: { username: credential, password: passwordOf(credential, this.#version) } }
  }

  #specOf(source: string) {
    return {
      source: { secretRef: { name: source } },
      namespaces: { include: [this.lab.unique(`${this.#name}-*`)], optIn: true },
      serviceAccounts: ['*'],
    }
  }

  #idOf(credential: string): string {
    return `${this.#name}-${credential}`
  }

  #nameOf(credential: string): string {
    return this.lab.unique(this.#idOf(credential))
  }

  #seen(secret: Secret): unknown {
    if (secret.type === 'Opaque') return 'foreign'
    const logins = Object.entries(loginsOf(secret)).map(([registry, login]) => {
      const version = versionOf(registry, login)
      return [registry, version === this.#version ? `${login.username}, current` : `version ${version}`]
    })
    return {
      type: secret.type,
      owners: secret.metadata.ownerReferences?.map(({ name }) => name).sort(),
      logins: Object.fromEntries(logins),
    }
  }

  async #settle(index: number, kind: Kind): Promise<Place> {
    const { lab } = this
    const labels = kind === 'opted-out' ? { [optOutKey]: 'true' } : {}
    const name = await lab.namespace(`${this.#name}-${index}`, labels)
    const references = { imagePullSecrets: [{ name: 'own' }] }
    if (kind === 'left-alone') {
      const metadata = { name: leftAloneName, annotations: { [optOutKey]: 'true' } }
      await lab.create(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata, ...references })
    }
    if (kind === 'foreign-secret') {
      const foreign = { metadata: { name: secretName }, stringData: { [dockerConfigJsonKey]: 'theirs' } }
      await lab.create(`/api/v1/namespaces/${name}/secrets`, foreign)
    }
    if (kind === 'own-reference') {
      await this.#cluster.kubectl('patch', 'serviceaccount', 'default', '-n', name, '-p', JSON.stringify(references))
    }
    return { name, kind }
  }
}

/** The CRD may be gone. */
function noneWithoutKind(error: unknown): { items: never[] } {
  if (isNotFound(error)) return { items: [] }
  throw error
}

export function differencesOf(seen: Picture, expected: Picture): string[] {
  const keys = new Set([...Object.keys(seen), ...Object.keys(expected)])
  return [...keys].flatMap((key) => {
    const [is, must] = [JSON.stringify(seen[key]), JSON.stringify(expected[key])]
    return is === must ? [] : [`${key} is ${is}, and must be ${must}`]
  })
}
