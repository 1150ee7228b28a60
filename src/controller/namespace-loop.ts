/**
 * The namespace loop: make this namespace right. It looks at the whole of it every time, whatever woke it: selection,
 * merging, references, drift and removal are one small difference between what should be and what is.
 *
 * The order keeps pods working: Secrets first, then the references to them; references off first, then the Secrets.
 */

import { isFixed, isOvertaken } from '../kube/api-error.ts'
import { linksAim } from '../model/aim.ts'
import { blame, contend, tooManyPullSecrets } from '../model/blame.ts'
import type { Contended } from '../model/contended.ts'
import { type CredentialState, desiredSecret } from '../model/desired.ts'
import { desiredLink, isFull, isPending } from '../model/link-change.ts'
import { linksOf } from '../model/links.ts'
import type { ObservedServiceAccount } from '../model/observed.ts'
import type { Problem } from '../model/outcome.ts'
import { asSource, secretChange } from '../model/secret-change.ts'
import { type Namespace, selectsServiceAccount } from '../model/selection.ts'
import { type CountLinks, outcomeOf, type Target } from '../model/target.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import { type Contention, objectKey } from './contention.ts'
import type { CredentialStates } from './credential-states.ts'
import type { Marks } from './marks.ts'
import type { Ownership } from './ownership.ts'
import type { Payload, Payloads } from './payloads.ts'
import type { Reporter } from './reporter.ts'
import type { Content, SecretWriter } from './secret-writer.ts'
import type { ServiceAccountWriter } from './service-account-writer.ts'

export interface NamespaceLoopParts {
  caches: Caches
  contention: Contention
  credentials: CredentialStates
  marks: Marks
  ownership: Ownership
  payloads: Payloads
  board: Board
  secrets: SecretWriter
  serviceAccounts: ServiceAccountWriter
  reporter: Reporter
  log: Logger
  /** A reference was added by the operator, and not by an admission policy. */
  linked(namespace: string, serviceAccount: string, secretName: string): void
}

interface TargetWithContent extends Target {
  wanted: (Content & Payload) | undefined
}

/** After so many attempts in a row that others were faster than, that is told as a failure. */
const maxOvertaken = 5

export class NamespaceLoop {
  readonly #parts: NamespaceLoopParts
  /** Namespace → how many attempts in a row were overtaken. */
  readonly #overtaken = new Map<string, number>()

  constructor(parts: NamespaceLoopParts) {
    this.#parts = parts
  }

  /**
   * @returns milliseconds after which a contended object is to be looked at again
   * @throws the first error that a later attempt may not meet; everything else in the namespace is done all the same
   */
  async reconcile(name: string): Promise<number | undefined> {
    const { caches, board, contention, credentials } = this.#parts
    const namespace = caches.namespaces.get('', name)
    if (namespace === undefined || namespace.terminating) {
      this.#overtaken.delete(name)
      for (const target of caches.secrets.keys()) contention.forget(objectKey('Secret', name, target))
      board.forgetNamespace(name)
      return undefined
    }

    const states = credentials.all()
    const targets = [...caches.secrets.keys()].map((target) => this.#target(target, namespace, states))
    // Before anything is written, so that the end of a credential waits for what is on its way.
    for (const { desired } of targets)
      for (const { credential } of desired.selectedBy) board.expect(credential.name, name, true)

    const errors: unknown[] = []
    const attempt = async (work: () => Promise<void>): Promise<Problem | undefined> => {
      try {
        await work()
        return undefined
      } catch (error) {
        if (!isFixed(error)) errors.push(error) // otherwise the watch tells when it has been mended
        return this.#parts.reporter.problemOf(error)
      }
    }

    let againMs: number | undefined
    const contendedOf = (kind: Contended['kind'], object: string): Contended | undefined => {
      const contest = contention.of(objectKey(kind, name, object))
      if (contest === undefined) return undefined
      againMs = Math.min(contest.nextMs, againMs ?? contest.nextMs)
      return { kind, name: object, manager: contest.manager }
    }

    for (const target of targets) {
      target.failure = withCure(target, await attempt(() => this.#bring(name, target)))
      if (target.wanted) target.contended = contendedOf('Secret', target.desired.name)
    }
    const unreliable = new Set<string>()
    for (const serviceAccount of [...caches.serviceAccounts.inNamespace(name)]) {
      const linking = this.#link(namespace, serviceAccount, targets, states)
      const failure = linking && (await attempt(() => linking))
      const problem = isFull(serviceAccount) ? tooManyPullSecrets : failure
      if (problem) blame(problem, serviceAccount, targets)
      const contended = contendedOf('ServiceAccount', serviceAccount.name)
      if (contended === undefined) continue
      unreliable.add(serviceAccount.name)
      contend(contended, caches.serviceAccounts.get(name, serviceAccount.name) ?? serviceAccount, targets)
    }
    for (const target of targets) {
      if (!target.failure && !target.stuck) target.failure = await attempt(() => this.#takeAway(name, target))
    }

    if (!this.#isOvertaken(name, errors)) this.#report(namespace, states, targets, unreliable)
    if (errors.length > 0) throw errors[0]
    return againMs
  }

  #target(name: string, namespace: Namespace, states: readonly CredentialState[]): TargetWithContent {
    const { marks, payloads, reporter } = this.#parts
    const { observed, mayBeSource } = this.#observe(namespace.name, name)
    const desired = desiredSecret(name, namespace, states, observed)
    const payload = desired.state === 'present' ? payloads.of(desired.contributors) : undefined
    const wanted = payload && {
      ...payload,
      mark: marks.markOf(
        { namespace: namespace.name, name },
        payload.hash,
        payload.madeOf.map(({ credential }) => credential.uid),
      ),
    }
    const change = secretChange(desired, observed, wanted)
    const available = observed?.ours === true && !observed.deleting
    const isWritten = wanted !== undefined && change === 'none'
    if (change === 'not-owned' && observed && !mayBeSource) reporter.notOwned(observed, [...desired.selectedBy])
    const nothingYet = { failure: undefined, stuck: undefined, contended: undefined }
    return { desired, observed, change, wanted, mayBeSource, isWritten, available, ...nothingYet }
  }

  #observe(namespace: string, name: string): Pick<Target, 'observed' | 'mayBeSource'> {
    const { caches, credentials, ownership } = this.#parts
    const secret = caches.secrets.get(name)?.get(namespace, name)
    const observed = secret && ownership.recognize(secret)
    const mayBeSource = secret !== undefined && credentials.mayBeSource(secret)
    return { observed: observed && mayBeSource ? asSource(observed) : observed, mayBeSource }
  }

  async #bring(namespace: string, target: TargetWithContent): Promise<void> {
    const { contention, secrets, log } = this.#parts
    const { desired, observed, change, wanted } = target
    const key = objectKey('Secret', namespace, desired.name)
    if (wanted === undefined) {
      if (desired.state !== 'held') contention.forget(key)
      return
    }
    const { aim } = wanted
    if (!contention.mayWrite(key, aim)) {
      target.isWritten = true // and undone
      return
    }
    if (change === 'create') {
      await secrets.create(namespace, desired.name, wanted)
    } else if (change === 'update' && observed) {
      await secrets.update(namespace, observed, wanted)
    } else if (change === 'take' && observed) {
      await secrets.take(namespace, observed, wanted)
    } else {
      return
    }
    const { observed: written } = this.#observe(namespace, desired.name)
    if (observed && observed.uid !== written?.uid) this.#parts.ownership.forget(observed.uid) // it was made anew
    // An apply leaves the ownerReferences that it does not own, such as those of credentials that have gone since.
    if (change === 'take' && written && secretChange(desired, written, wanted) === 'update') {
      await secrets.update(namespace, written, wanted)
    }
    target.isWritten = true
    target.available = true
    contention.wrote(key, aim, observed?.dataManager)
    log.debug('wrote Secret', { namespace, secret: desired.name, change })
  }

  /** Undefined when its references are right, or must not be written now. */
  #link(
    namespace: Namespace,
    serviceAccount: ObservedServiceAccount,
    targets: readonly Target[],
    states: readonly CredentialState[],
  ): Promise<void> | undefined {
    const { contention, serviceAccounts } = this.#parts
    const key = objectKey('ServiceAccount', namespace.name, serviceAccount.name)
    const aim = linksAim(serviceAccount, targets)
    if (!contention.mayWrite(key, aim)) return undefined
    const links = (current: ObservedServiceAccount) => linksOf(current, namespace, targets, states)
    return serviceAccounts.write(namespace.name, serviceAccount, links)?.then((written) => {
      if (!written) return
      contention.wrote(key, aim, serviceAccount.listManager)
      const added = targets.find(({ desired, available }) => {
        const link = desiredLink(desired, available, serviceAccount)
        return link === 'add' && isPending(link, desired.name, serviceAccount)
      })
      if (added) this.#parts.linked(namespace.name, serviceAccount.name, added.desired.name)
    })
  }

  async #takeAway(namespace: string, { desired, observed, change }: Target): Promise<void> {
    if (observed === undefined || (change !== 'delete' && change !== 'release')) return
    this.#parts.ownership.forget(observed.uid)
    await this.#parts.secrets[change](namespace, observed)
    this.#parts.log.debug('took Secret away', { namespace, secret: desired.name, change })
  }

  /** Others were faster, and the watches will tell; then what was found here is out of date. */
  #isOvertaken(namespace: string, errors: readonly unknown[]): boolean {
    const inARow = errors.some(isOvertaken) ? (this.#overtaken.get(namespace) ?? 0) + 1 : 0
    if (inARow === 0) this.#overtaken.delete(namespace)
    else this.#overtaken.set(namespace, inARow)
    return inARow > 0 && inARow < maxOvertaken
  }

  /** @param unreliable ServiceAccounts whose references count as missing also while they are there */
  #report(
    namespace: Namespace,
    states: readonly CredentialState[],
    targets: readonly Target[],
    unreliable: ReadonlySet<string>,
  ): void {
    const { board, caches, credentials } = this.#parts
    const staying = [...caches.serviceAccounts.inNamespace(namespace.name)].filter(({ deleting }) => !deleting)
    const countLinks: CountLinks = (credential, secretName) => {
      const selected = staying.filter((each) => selectsServiceAccount(credential, each))
      const linked = selected.filter((each) => each.pullSecrets.includes(secretName) && !unreliable.has(each.name))
      return { selected: selected.length, linked: linked.length }
    }
    for (const state of states) {
      const { name } = state.credential
      if (credentials.get(name) === undefined) continue // it has gone meanwhile, and with it what was on the board
      const outcome = outcomeOf(state, namespace, targets, countLinks)
      // One that is on its way out is held only by namespaces that it has been in.
      const isNews = outcome === undefined || outcome.selected || board.has(name, namespace.name)
      board.report(name, namespace.name, isNews ? outcome : undefined)
    }
  }
}

/** The API server tells why a Secret cannot be taken over, but not what to do about it. */
function withCure({ change, desired }: Target, problem: Problem | undefined): Problem | undefined {
  if (change !== 'take' || problem?.reason !== 'Invalid') return problem
  return { ...problem, message: `${problem.message}; delete Secret ${desired.name}, and it is made anew.` }
}
