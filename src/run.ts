/** What one process does between start and stop: fill the caches, wait for the lease, work while leading. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { operatorName } from './api/names.ts'
import type { Config } from './config.ts'
import type { Caches } from './controller/caches.ts'
import { startController } from './controller/controller.ts'
import { credentialsPath, type Watch, watchesOf } from './controller/watches.ts'
import type { Outbound } from './http/outbound.ts'
import { isNotFound, isOvertaken } from './kube/api-error.ts'
import type { KubeClient } from './kube/client.ts'
import type { EventRecorder } from './kube/events.ts'
import { fenced } from './kube/fence.ts'
import { lead } from './kube/lease.ts'
import { type Reflector, reflect } from './kube/reflector.ts'
import { NotLeadingError, type Term } from './kube/term.ts'
import { type Concurrency, WorkQueue, type WorkQueueOptions } from './kube/work-queue.ts'
import type { Run } from './operator.ts'
import { Verifier } from './registry/verify.ts'
import { kindOf } from './sources/sources.ts'
import type { Check } from './telemetry/checks.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Loop, Metrics, Result } from './telemetry/metrics.ts'
import type { Redactor } from './telemetry/redaction.ts'

export interface RunParts {
  config: Config
  /** The name of the pod or host. */
  identity: string
  client: KubeClient
  /** Of the namespaces. */
  pace: Concurrency
  /** For the leader election. */
  leaseClient: KubeClient
  /** To issuers and registries. */
  outbound: Outbound
  caches: Caches
  events: EventRecorder
  log: Logger
  metrics: Metrics
  redactor: Redactor
}

/**
 * With a problem, and not heard of for so long, a watch makes the process unready. Until then it is only noted: the API
 * servers of a control plane are replaced one by one in less, and nobody is helped by an operator that is taken for broken.
 */
const maxSilentSeconds = 120
/** A reconcile that takes so long hangs. */
const maxReconcileSeconds = 600

const crdMissing =
  'The CustomResourceDefinition registrycredentials.regcred.dev is not installed; waiting for it. ' +
  'Install it with: kubectl apply --server-side -k config/default'

export class Process {
  readonly #parts: RunParts
  readonly #reflectors = new Map<string, Reflector>()
  readonly #queues = new Map<Loop, WorkQueue>()

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  /** Ends when the signal says so and everything under way has ended. */
  readonly run: Run = async (operator, signal) => {
    const { config, client, pace, leaseClient, outbound, caches, events, log, metrics, redactor } = this.#parts
    const credentials = {
      resource: 'registrycredentials',
      path: credentialsPath,
      metadataOnly: false,
      cache: caches.credentials,
    }
    for (const watch of [credentials, ...watchesOf(caches, config.namespace)]) this.#watch(watch, signal)
    const reflectors = [...this.#reflectors.values()]

    const verifier = new Verifier(outbound.fetch)
    const control = async (term: Term) => {
      const { leading } = term
      const fencedClient = fenced(client, term)
      operator.writeThrough(fencedClient)
      const end = await startController({
        client: fencedClient,
        caches,
        events,
        log,
        ownNamespace: config.namespace,
        trustedRegistries: config.trustedRegistries,
        surroundings: {
          settings: config.sources,
          fetch: outbound.fetch,
          metadataFetch: outbound.metadataFetch,
          conceal: (...secrets) => redactor.add(...secrets),
        },
        concurrency: pace,
        redact: (text) => redactor.redact(text),
        conceal: (entries) => {
          for (const { username, password } of entries.values()) redactor.add(password, `${username}:${password}`)
        },
        verify: (entries, image, signal) => verifier.verify(entries, image, signal),
        asked: ({ source }, result) => metrics.refreshed(kindOf(source) ?? 'unknown', result),
        verified: (verdict) => metrics.verified(verdict),
        finalize: (credential) => operator.finalize(credential),
        writeStatus: (credential, status) => operator.writeStatus(credential, status),
        admissionPoliciesAct: (act) => metrics.admissionPoliciesAct(act),
        observeCredentials: (credentials) => metrics.observeCredentials(credentials),
        evictionAsked: (result) => metrics.evictionAsked(result),
        watchRestarted: (resource, reason) => metrics.watchRestarted(resource, reason),
        signal: leading,
        queue: (loop, concurrency, reconcile) => this.#queue(loop, concurrency, reconcile),
      })
      if (!leading.aborted) await once(leading, 'abort')
      await end()
    }
    const work = (term: Term) => {
      metrics.leading(true)
      return control(term).finally(() => metrics.leading(false))
    }

    try {
      await Promise.all(reflectors.map(({ synced }) => synced))
      log.info('caches are in sync', { namespaces: caches.namespaces.size, credentials: caches.credentials.size })
      const identity = `${this.#parts.identity}_${randomUUID()}`
      const election = { client: leaseClient, namespace: config.namespace, name: operatorName, identity, log, signal }
      await (config.leaderElect ? lead(election, work) : work(unlimited(signal)))
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await Promise.all(reflectors.map(({ done }) => done))
  }

  /** For /readyz. */
  readonly ready: Check = {
    name: 'caches',
    check: () => {
      if (this.#reflectors.size === 0) return 'starting'
      const problems = [...this.#reflectors].flatMap(([resource, reflector]) => {
        const { synced, silentSeconds, problem } = reflector.state()
        if (!synced) return `${resource} not in sync${problem ? `: ${problem}` : ''}`
        return problem && silentSeconds > maxSilentSeconds ? `${resource}: ${problem}` : []
      })
      return problems.length > 0 ? problems.join('; ') : undefined
    },
    note: () => {
      const problems = [...this.#reflectors].flatMap(([resource, reflector]) => {
        const { problem } = reflector.state()
        return problem ? `${resource}: ${problem}` : []
      })
      return problems.length > 0 ? problems.join('; ') : undefined
    },
  }

  /** For /healthz. */
  readonly alive: Check = {
    name: 'loops',
    check: () => {
      const stuck = [...this.#queues].find(([, queue]) => queue.longestRunningSeconds > maxReconcileSeconds)
      return (
        stuck &&
        `a reconcile of the ${stuck[0]} loop has been running for ${Math.round(stuck[1].longestRunningSeconds)} s`
      )
    },
  }

  #watch({ resource, path, query, metadataOnly, cache }: Watch, signal: AbortSignal): void {
    const { client, log, metrics } = this.#parts
    const reflector = reflect({
      client,
      path,
      ...(query && { query }),
      metadataOnly,
      cache,
      log,
      signal,
      onRestart: (reason) => metrics.watchRestarted(resource, reason),
      onProblem: (error) => {
        const missing = path === credentialsPath && isNotFound(error)
        if (missing) log.error(crdMissing)
        return missing
      },
    })
    this.#reflectors.set(resource, reflector)
  }

  #queue(loop: Loop, concurrency: Concurrency, reconcile: WorkQueueOptions['work']): WorkQueue {
    const { log, metrics } = this.#parts
    const queue = new WorkQueue({
      concurrency,
      work: async (key) => {
        const start = performance.now()
        const ended = (result: Result) => metrics.reconciled(loop, result, (performance.now() - start) / 1000)
        try {
          const again = await reconcile(key)
          ended('success')
          return again ?? undefined
        } catch (error) {
          if (!(error instanceof NotLeadingError)) ended(isOvertaken(error) ? 'overtaken' : 'error')
          throw error
        }
      },
      onStart: (waitedSeconds) => metrics.reconciling(loop, waitedSeconds),
      onFailure: (key, error, { failures, waitMs }) => {
        if (error instanceof NotLeadingError) return log.debug('reconcile given up', { [loop]: key, error })
        const level = isOvertaken(error) ? 'debug' : 'warn'
        log[level]('reconcile failed', { [loop]: key, error, failures, retryInSeconds: Math.round(waitMs / 1000) })
      },
    })
    this.#queues.set(loop, queue)
    metrics.observeQueue(loop, queue)
    return queue
  }
}

/** Without an election there is no lease to lose. */
function unlimited(leading: AbortSignal): Term {
  return { leading, lost: new AbortController().signal, check: () => {} }
}
