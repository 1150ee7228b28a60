/**
 * Keeps one key of a ConfigMap equal to the registries that the credentials are for, where the installation asks for that:
 * config/policies/trusted-registries trusts images of these. So whoever may write credentials or their sources decides what
 * is trusted. It is applied under a name of its own, by which the other keys are left to others; and nothing waits for it.
 */
import { trustedKey, trustedManager } from '../api/names.ts'
import { isForbidden } from '../kube/api-error.ts'
import { Cache } from '../kube/cache.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { type Reflector, type RestartReason, reflect } from '../kube/reflector.ts'
import type { WorkQueue } from '../kube/work-queue.ts'
import { firstOf } from '../model/first-of.ts'
import { maxLines, trustedLines } from '../model/trusted-lines.ts'
import type { Logger } from '../telemetry/logger.ts'
import { Contention } from './contention.ts'
import type { CredentialStates } from './credential-states.ts'
import type { Logins } from './logins.ts'
import { observeTrustedList } from './observe.ts'

export interface TrustedListParts {
  client: KubeClient
  credentials: CredentialStates
  logins: Logins
  log: Logger
  /** Of the ConfigMap, in the operator's own namespace. */
  name: string
  ownNamespace: string
  restarted(reason: RestartReason): void
  /** Makes the queue of its loop, whose only key is the name. */
  queue(work: () => Promise<number | undefined>): WorkQueue
  /** Ends it. */
  signal: AbortSignal
}

/** Registries that a line of the log names. */
const maxNamed = 20

export class TrustedList {
  readonly #parts: TrustedListParts
  readonly #cache = new Cache(observeTrustedList)
  readonly #contention = new Contention()
  readonly #queue: WorkQueue
  #reflector: Reflector | undefined
  #told = ''
  #isContended = false

  constructor(parts: TrustedListParts) {
    this.#parts = parts
    this.#queue = parts.queue(() => this.#reconcile())
  }

  /** All credentials must have been read once: what is not known yet must not look untrusted. */
  start(): void {
    const { client, log, name, ownNamespace, restarted, signal } = this.#parts
    this.#cache.subscribe(() => this.changed())
    this.#reflector = reflect({
      client,
      path: `/api/v1/namespaces/${ownNamespace}/configmaps`,
      query: { fieldSelector: `metadata.name=${name}` },
      cache: this.#cache,
      log,
      signal,
      onRestart: restarted,
      onProblem: (error) => {
        if (!isForbidden(error)) return false
        log.warn('the list of trusted registries cannot be kept; everything else works', {
          cure: `let the operator list, watch, create and patch the ConfigMap ${name} (config/policies/trusted-registries-from-credentials; Helm: trustedRegistries.fromCredentials), or take --trusted-registries away`,
        })
        return true
      },
    })
    this.#reflector.synced.then(
      () => this.changed(),
      () => {},
    )
  }

  /** A credential, its login, or the ConfigMap. */
  changed(): void {
    if (this.#reflector?.state().synced) this.#queue.add(this.#parts.name)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    await this.#reflector?.done
  }

  /** @returns milliseconds after which it may be written again, where somebody keeps changing it back */
  async #reconcile(): Promise<number | undefined> {
    const { client, log, name, ownNamespace } = this.#parts
    const { lines, leftOut } = trustedLines(this.#keys())
    this.#tell(leftOut)
    const text = lines.join('\n')
    const { text: found, manager } = this.#cache.get(ownNamespace, name) ?? { text: '', manager: undefined }
    if (found === text) return undefined
    if (!this.#contention.mayWrite(name, text)) return this.#contention.of(name)?.nextMs
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: ownNamespace },
      data: { [trustedKey]: text },
    }
    const path = `/api/v1/namespaces/${ownNamespace}/configmaps/${name}`
    this.#cache.writeThrough(
      await client.apply<KubeObject>(path, object, { fieldManager: trustedManager, force: true }),
    )
    this.#contention.wrote(name, text, manager)
    log.info('the list of trusted registries is written', { configMap: name, lines: lines.length })
    this.#tellContention()
    return undefined
  }

  /**
   * What a credential says that it is for, or else what its last good login is for, also when that has ended or the
   * credential is suspended: no pod is to be refused since an issuer is down, and what is suspended stays as it is.
   */
  *#keys(): Generator<string, void, undefined> {
    for (const { credential } of this.#parts.credentials.all()) {
      if (credential.deleting) continue
      if (credential.registries?.length) yield* credential.registries
      else yield* this.#parts.logins.of(credential.uid).current?.entries.keys() ?? []
    }
  }

  /** Once, as long as it lasts. */
  #tellContention(): void {
    const { log, name } = this.#parts
    const contest = this.#contention.of(name)
    if (contest && !this.#isContended) {
      log.warn('the list of trusted registries is changed back again and again, and written ever more rarely', {
        configMap: name,
        by: contest.manager ?? 'somebody whom managedFields do not name',
        cure: `leave the key ${trustedKey} out of what is applied to the ConfigMap`,
      })
    }
    this.#isContended = contest !== undefined
  }

  #tell(leftOut: readonly string[]): void {
    const registries = firstOf(leftOut, maxNamed)
    if (registries !== this.#told && registries !== '') {
      this.#parts.log.warn('registries of credentials are not put on the list of trusted ones', {
        registries,
        why: `a host with a wildcard is no prefix, all of a registry that many share is everybody's, and ${maxLines} are the most`,
        cure: 'name a path in them in spec.registries, or trust them in the key registries of the ConfigMap',
      })
    }
    this.#told = registries
  }
}
