/**
 * Puts the loops together: changes in the caches wake them, what comes of them goes to the status.
 *
 *   RegistryCredential, source Secret, clock ─► login loop ─► logins (issued, checked, kept) ─► credential loop
 *   RegistryCredential, login ─► credential loop ─► credential states ─► wakes namespaces
 *   Namespace, ServiceAccount, Secret ─► namespace loop ─► writes ─► board ─► status
 *   Pod, board ─► pod loop ─► Events, evictions, status
 *   credential states, logins ─► trusted loop ─► a list of trusted registries, where it is asked for
 */

import { once } from 'node:events'
import type { KubeClient } from '../kube/client.ts'
import type { EventRecorder } from '../kube/events.ts'
import { persistently } from '../kube/persistently.ts'
import { NotLeadingError } from '../kube/term.ts'
import type { Concurrency, WorkQueue, WorkQueueOptions } from '../kube/work-queue.ts'
import { type Credential, secretOf } from '../model/credential.ts'
import type { Entries } from '../model/docker-config.ts'
import { msUntilEnd } from '../model/login.ts'
import { lookAfter } from '../model/moment.ts'
import type { Status } from '../model/status.ts'
import { looksAtPods } from '../model/stuck-pod.ts'
import type { Verification } from '../model/verification.ts'
import { filesVersion } from '../sources/files-version.ts'
import { issue, retire } from '../sources/sources.ts'
import type { CredentialGauge } from '../telemetry/credential-metrics.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { EvictionResult, Loop, WatchRestart } from '../telemetry/metrics.ts'
import { AdmissionProbe } from './admission-probe.ts'
import { Board } from './board.ts'
import type { Caches } from './caches.ts'
import { moment, watchClock } from './clock.ts'
import { Contention, objectKey } from './contention.ts'
import { CredentialLoop } from './credential-loop.ts'
import { CredentialStates } from './credential-states.ts'
import { Evictor } from './evictor.ts'
import { Issuers } from './issuers.ts'
import { LastGood } from './last-good.ts'
import { LoginLoop, type LoginLoopParts } from './login-loop.ts'
import { Logins } from './logins.ts'
import { loadMarkKey } from './mark-key.ts'
import { Marks } from './marks.ts'
import { NamespaceLoop } from './namespace-loop.ts'
import type { ObservedCredential } from './observe.ts'
import { Ownership } from './ownership.ts'
import { Payloads } from './payloads.ts'
import { PodLoop } from './pod-loop.ts'
import { PodWatch } from './pod-watch.ts'
import { Reporter } from './reporter.ts'
import { Retirement } from './retirement.ts'
import { SecretWriter } from './secret-writer.ts'
import { ServiceAccountWriter } from './service-account-writer.ts'
import { type SourceSurroundings, sourceContexts } from './source-context.ts'
import { StatusWriter } from './status-writer.ts'
import { follow, followFiles } from './triggers.ts'
import { TrustedList } from './trusted-list.ts'

export interface ControllerParts {
  /** Writes only while leading. */
  client: KubeClient
  /** Synced. */
  caches: Caches
  events: EventRecorder
  log: Logger
  ownNamespace: string
  /** A ConfigMap whose list of the registries of credentials is kept; undefined: none. */
  trustedRegistries: string | undefined
  surroundings: SourceSurroundings
  /** Namespaces worked on at the same time. */
  concurrency: Concurrency
  redact(text: string): string
  conceal(entries: Entries): void
  /** Asks the registries about a login. */
  verify(entries: Entries, image: string | undefined, signal: AbortSignal): Promise<Verification>
  /** For metrics. */
  admissionPoliciesAct(act: boolean): void
  observeCredentials(credentials: () => CredentialGauge[]): void
  evictionAsked(result: EvictionResult): void
  /** A watch that is not among those of `caches`. */
  watchRestarted(resource: string, reason: WatchRestart): void
  asked: LoginLoopParts['asked']
  verified: LoginLoopParts['verified']
  finalize(credential: ObservedCredential): Promise<boolean>
  writeStatus(credential: ObservedCredential, status: Status): Promise<void>
  /** Aborted: nothing new is to be started. */
  signal: AbortSignal
  /** Makes a queue that is logged and measured. */
  queue(loop: Loop, concurrency: Concurrency, work: WorkQueueOptions['work']): WorkQueue
}

/** They wait for issuers and registries, which may be slow, and many at once; of each issuer few are asked at a time. */
const loginConcurrency = { limit: 128 }
const credentialConcurrency = { limit: 8 }
const statusConcurrency = { limit: 4 }
const podConcurrency = { limit: 4 }
/** It has one key. */
const trustedConcurrency = { limit: 1 }
/** Milliseconds for which changes of the pods of a namespace are collected. */
const podSettleMs = 500
/** Milliseconds between looks at whether a login is in all namespaces. */
const rolloutMs = 1_000

/**
 * Looks at every credential once, then at every namespace, then follows the changes. Issuers are not waited for: until a
 * login is known, what a credential has brought about stays. Only the leader may call it.
 * @returns ends it: what runs is finished, or given up at its next write; nothing new is started
 */
export async function startController(parts: ControllerParts): Promise<() => Promise<void>> {
  const { client, caches, log, ownNamespace, signal } = parts
  const { filesDir } = parts.surroundings.settings
  const state = await persistently(
    () => loadState(client, ownNamespace),
    signal,
    (error) => log.warn("cannot read the operator's own Secrets, trying again", { error }),
  )
  if (!state) return async () => {}
  const { marks, lastGood } = state
  const ownership = new Ownership(marks)
  const reporter = new Reporter(parts.events, parts.redact)
  const credentials = new CredentialStates(ownNamespace)
  const contextOf = sourceContexts(client, ownNamespace, parts.surroundings)
  const logins = new Logins()
  const board = new Board((name) => {
    touchStatus(name)
    wakeRetirement(name)
    if (credentials.get(name)?.credential.deleting) credentialQueue.add(name)
  })

  /** What the issuer gave before may end when its successor is in all namespaces, which tell one by one. */
  const wakeRetirement = (name: string): void => {
    const uid = credentials.get(name)?.credential.uid
    if (uid !== undefined && logins.of(uid).retireAt) loginQueue.addAfter(name, rolloutMs)
  }
  const isRolledOut = ({ name, uid }: Credential): boolean => {
    const record = credentials.get(name)
    if (record === undefined || record.entries !== logins.of(uid).current?.entries) return false
    return board.isReplaced(name, record.version)
  }

  const podWatch = new PodWatch({
    client,
    log,
    signal,
    changed: (namespace) => podQueue.addAfter(namespace, podSettleMs),
    reset: () => {
      for (const namespace of podLoop.namespaces()) podQueue.add(namespace)
      for (const { credential } of credentials.all()) touchStatus(credential.name)
    },
    restarted: (reason) => parts.watchRestarted('pods', reason),
  })
  const podLoop = new PodLoop({
    caches,
    credentials,
    board,
    watch: podWatch,
    evictor: new Evictor({ client, reporter, log, evictionAsked: parts.evictionAsked }),
    reporter,
    touchStatus: (name) => touchStatus(name),
  })
  const podQueue = parts.queue('pod', podConcurrency, (namespace) => podLoop.reconcile(namespace))
  const statusWriter = new StatusWriter(caches, credentials, board, reporter, podLoop, parts.writeStatus)
  const statusQueue = parts.queue('status', statusConcurrency, (name) => statusWriter.reconcile(name))

  const contention = new Contention()
  const payloads = new Payloads((data) => marks.hashOf(data))
  const admission = new AdmissionProbe({
    client,
    caches,
    credentials,
    reporter,
    log,
    found: parts.admissionPoliciesAct,
    signal,
  })
  const namespaceLoop = new NamespaceLoop({
    caches,
    contention,
    credentials,
    marks,
    ownership,
    payloads,
    board,
    secrets: new SecretWriter(client, caches.secrets),
    serviceAccounts: new ServiceAccountWriter(client, caches.serviceAccounts),
    reporter,
    log,
    linked: (...where) => admission.linked(...where),
  })
  const namespaceQueue = parts.queue('namespace', parts.concurrency, (name) =>
    namespaceLoop.reconcile(name).finally(() => {
      if (podLoop.concerns(name)) podQueue.addAfter(name, podSettleMs) // all that it goes by may be new
    }),
  )

  const sourceVersion = ({ source }: Credential): string => {
    if (source.files && filesDir !== undefined) return filesVersion(filesDir, source.files.name)
    const secret = secretOf(source)
    return secret === undefined ? '' : (caches.sources.get(ownNamespace, secret) ?? 'absent')
  }
  const credentialLoop = new CredentialLoop({
    caches,
    credentials,
    board,
    logins,
    lastGood,
    ownership,
    payloads,
    reporter,
    log,
    sourceVersion,
    finalize: parts.finalize,
    conceal: parts.conceal,
    endLogin: (name) => loginQueue.add(name),
    forgetLogin: (name, uid) => {
      loginLoop.forget(name, uid)
      loginQueue.add(name)
    },
    sweep: (name, ms) => sweep(name, ms),
    touchStatus: (name) => touchStatus(name),
  })
  credentialLoop.introduce()
  parts.observeCredentials(() =>
    credentials.all().map((state) => {
      const { credential, problem, refreshFailure, check } = state
      const { current } = logins.of(credential.uid)
      return {
        credential: credential.name,
        issuedAt: current?.issuedAt,
        expiresAt: current?.expiresAt,
        failing: (problem ?? refreshFailure) !== undefined,
        verified: check && check.verdict !== 'Unknown' ? check.verdict === 'Valid' : undefined,
        ...board.countsOf(credential.name, state.version),
        stuck: podLoop.stuckOf(state),
      }
    }),
  )
  const issuers = new Issuers()
  const retirement = new Retirement({
    issuers,
    reporter,
    log,
    retire: (credential, last, keep) => retire(credential.source, keep, contextOf(credential, last), signal),
    isRolledOut,
    signal,
  })
  const loginLoop = new LoginLoop({
    caches,
    logins,
    issuers,
    retirement,
    lastGood,
    reporter,
    log,
    isFrozen: (credential) => credentialLoop.isFrozen(credential),
    sourceVersion,
    issue: (credential, handle) => issue(credential.source, contextOf(credential, handle), signal),
    verify: (entries, image) =>
      parts.verify(entries, image, signal).catch(() => {
        throw new NotLeadingError() // it fails for no other reason, and that is no failure
      }),
    changed: (name) => credentialQueue.add(name),
    asked: parts.asked,
    verified: parts.verified,
    signal,
  })
  const loginQueue = parts.queue('login', loginConcurrency, (name) => loginLoop.reconcile(name))
  const trustedList =
    parts.trustedRegistries === undefined
      ? undefined
      : new TrustedList({
          client,
          credentials,
          logins,
          log,
          name: parts.trustedRegistries,
          ownNamespace,
          restarted: (reason) => parts.watchRestarted('configmaps', reason),
          queue: (work) => parts.queue('trusted', trustedConcurrency, work),
          signal,
        })
  const unread = new Set([...caches.credentials.values()].map(({ name }) => name))
  const allRead = Promise.withResolvers<void>()
  const credentialQueue = parts.queue('credential', credentialConcurrency, async (name) => {
    try {
      const again = await credentialLoop.reconcile(name)
      wakeRetirement(name)
      podWatch.want(credentials.all().some(looksAtPods))
      trustedList?.changed()
      return again
    } finally {
      unread.delete(name)
      if (unread.size === 0) allRead.resolve()
    }
  })

  // No namespace is touched, and no status told, before every credential has been read once: what is not known yet must
  // look neither unwanted nor out of date.
  let wake = (_namespace: string): void => {}
  let sweep = (_namespace: string, _ms = 0): void => {}
  let touchStatus = (_credential: string): void => {}
  const unfollow = follow(caches, {
    credential: (name) => credentialQueue.add(name),
    login: (name) => loginQueue.add(name),
    status: (name) => touchStatus(name),
    namespace: (name) => wake(name),
    secretGone: (uid) => ownership.forget(uid),
    serviceAccountGone: (namespace, name) => contention.forget(objectKey('ServiceAccount', namespace, name)),
  })
  watchClock((ms) => {
    log.warn('the clock has jumped, or the machine has slept: all logins are looked at', {
      seconds: Math.round(ms / 1000),
    })
    for (const { name, uid } of caches.credentials.values()) {
      const { current } = logins.of(uid)
      credentialQueue.add(name)
      loginQueue.addAfter(name, current ? lookAfter(msUntilEnd(current, moment()), Math.random()) : 0)
    }
  }, signal)
  if (filesDir !== undefined) followFiles(filesDir, caches, (name) => loginQueue.add(name), signal)
  for (const name of unread) {
    credentialQueue.add(name)
    loginQueue.add(name)
  }
  const uids = new Set([...caches.credentials.values()].map(({ uid }) => uid))
  await lastGood.prune(uids).catch((error: unknown) => log.warn('old credentials are still kept', { error }))
  if (unread.size > 0 && !signal.aborted) await Promise.race([allRead.promise, once(signal, 'abort')])
  if (!signal.aborted) {
    wake = (name) => namespaceQueue.add(name)
    sweep = (name, ms = 0) => (ms > 0 ? namespaceQueue.addAfter(name, ms) : namespaceQueue.sweep(name))
    touchStatus = (name) => statusQueue.addAfter(name, statusWriter.delayOf(name))
    for (const { name } of caches.namespaces.values()) sweep(name)
    for (const { name } of caches.credentials.values()) touchStatus(name)
    trustedList?.start()
  }

  return async () => {
    unfollow()
    await Promise.all([loginQueue.close(), credentialQueue.close(), namespaceQueue.close(), podQueue.close()])
    await Promise.all([podWatch.close(), trustedList?.close()])
    await statusQueue.close()
  }
}

/** What the operator keeps in its own namespace. */
async function loadState(client: KubeClient, ownNamespace: string): Promise<{ marks: Marks; lastGood: LastGood }> {
  const lastGood = new LastGood(client, ownNamespace)
  await lastGood.load()
  return { marks: new Marks(await loadMarkKey(client, ownNamespace)), lastGood }
}
