/**
 * The namespace loop: make this namespace right. It looks at the whole of it every time, whatever woke it: selection,
 * merging, references, drift and removal are one small difference between what should be and what is.
 *
 * The order keeps pods working: Secrets first, then the references to them; references off first, then the Secrets.
 */

import { isOvertaken } from '../kube/api-error.ts'
import { type CredentialState, type DesiredSecret, desiredSecret } from '../model/desired.ts'
import { desiredLink } from '../model/link-change.ts'
import type { ObservedSecret, ObservedServiceAccount } from '../model/observed.ts'
import type { Outcome, Problem } from '../model/outcome.ts'
import { asSource, isOurs, type SecretChange, secretChange } from '../model/secret-change.ts'
import { type Namespace, selectsServiceAccount } from '../model/selection.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Board } from './board.ts'
import type { Caches } from './caches.ts'
import type { CredentialStates } from './credential-states.ts'
import type { Payload, Payloads } from './payloads.ts'
import type { Reporter } from './reporter.ts'
import type { SecretWriter } from './secret-writer.ts'
import type { ServiceAccountWriter } from './service-account-writer.ts'

export interface NamespaceLoopParts {
  caches: Caches
  credentials: CredentialStates
  payloads: Payloads
  board: Board
  secrets: SecretWriter
  serviceAccounts: ServiceAccountWriter
  reporter: Reporter
  log: Logger
}

/** One target Secret of the namespace on its way from what is to what should be. */
interface Target {
  desired: DesiredSecret
  observed: ObservedSecret | undefined
  change: SecretChange
  payload: Payload | undefined
  /** There and ours, so ServiceAccounts may refer to it. */
  available: boolean
  /** Stands in the way of what is wanted, and is for somebody else to mend. */
  obstacle: Problem | undefined
  /** What was tried and went wrong. */
  failure: Problem | undefined
}

export class NamespaceLoop {
  readonly #parts: NamespaceLoopParts

  constructor(parts: NamespaceLoopParts) {
    this.#parts = parts
  }

  /** @throws the first error that a later attempt may not meet; everything else in the namespace is done all the same */
  async reconcile(name: string): Promise<void> {
    const { caches, board, credentials } = this.#parts
    const namespace = caches.namespaces.get('', name)
    if (namespace === undefined || namespace.terminating) return board.forgetNamespace(name)

    const states = credentials.all()
    const serviceAccounts = [...caches.serviceAccounts.inNamespace(name)]
    const targets = this.#targetNames(serviceAccounts).map((target) => this.#target(target, namespace, states))
    const errors: unknown[] = []
    const attempt = async (work: () => Promise<void>): Promise<Problem | undefined> => {
      try {
        await work()
        return undefined
      } catch (error) {
        errors.push(error)
        return this.#parts.reporter.problemOf(error)
      }
    }

    for (const target of targets) target.failure = withCure(target, await attempt(() => this.#bring(name, target)))
    for (const serviceAccount of serviceAccounts) {
      const problem = await attempt(() => this.#link(name, serviceAccount, targets))
      // It counts against every target: none of its references can be relied on.
      if (problem) for (const target of targets) target.failure ??= about(serviceAccount.name, problem)
    }
    for (const target of targets) target.failure ??= await attempt(() => this.#takeAway(name, target))

    if (!errors.some(isOvertaken)) this.#report(namespace, states, targets)
    if (errors.length > 0) throw errors[0]
  }

  /** The allowed names, and those that an earlier installation has left on ServiceAccounts. */
  #targetNames(serviceAccounts: readonly ObservedServiceAccount[]): string[] {
    return [...new Set([...this.#parts.caches.secrets.keys(), ...serviceAccounts.flatMap(({ managed }) => managed)])]
  }

  #target(name: string, namespace: Namespace, states: readonly CredentialState[]): Target {
    const observed = this.#observed(namespace.name, name)
    const mayBeSource = observed !== undefined && this.#parts.credentials.mayBeSource(observed)
    const desired = desiredSecret(name, namespace, states, observed)
    const payload = desired.state === 'present' ? this.#parts.payloads.of(desired.contributors) : undefined
    const change = secretChange(desired, observed, payload?.hash ?? '')
    const available = observed !== undefined && !observed.deleting && isOurs(observed)
    if (change === 'not-owned' && observed && !mayBeSource) this.#parts.reporter.notOwned(observed, desired.selectedBy)
    return {
      desired,
      observed,
      change,
      payload,
      available,
      obstacle: obstacle(desired, change, mayBeSource),
      failure: undefined,
    }
  }

  #observed(namespace: string, name: string): ObservedSecret | undefined {
    const observed = this.#parts.caches.secrets.get(name)?.get(namespace, name)
    return observed && this.#parts.credentials.mayBeSource(observed) ? asSource(observed) : observed
  }

  async #bring(namespace: string, target: Target): Promise<void> {
    const { secrets, log } = this.#parts
    const { desired, observed, change, payload } = target
    if (desired.state !== 'present' || payload === undefined) return
    const content = { contributors: desired.contributors, payload }
    if (change === 'create') {
      await secrets.create(namespace, desired.name, content)
    } else if (change === 'update' && observed) {
      await secrets.update(namespace, observed, content)
    } else if (change === 'take' && observed) {
      await secrets.take(namespace, observed, content)
      // An apply leaves the ownerReferences that it does not own, such as those of credentials that have gone since.
      const taken = this.#observed(namespace, desired.name)
      if (taken && secretChange(desired, taken, payload.hash) === 'update') {
        await secrets.update(namespace, taken, content)
      }
    } else {
      return
    }
    target.available = true
    log.debug('wrote Secret', { namespace, secret: desired.name, change })
  }

  async #link(namespace: string, serviceAccount: ObservedServiceAccount, targets: readonly Target[]): Promise<void> {
    await this.#parts.serviceAccounts.write(
      namespace,
      serviceAccount,
      (current) =>
        new Map(targets.map(({ desired, available }) => [desired.name, desiredLink(desired, available, current)])),
    )
  }

  async #takeAway(namespace: string, { desired, observed, change }: Target): Promise<void> {
    if (observed === undefined || (change !== 'delete' && change !== 'release')) return
    await this.#parts.secrets[change](namespace, observed)
    this.#parts.log.debug('took Secret away', { namespace, secret: desired.name, change })
  }

  #report(namespace: Namespace, states: readonly CredentialState[], targets: readonly Target[]): void {
    for (const state of states) {
      const { name } = state.credential
      this.#parts.board.report(name, namespace.name, this.#outcome(namespace.name, state, targets))
    }
  }

  #outcome(namespace: string, state: CredentialState, targets: readonly Target[]): Outcome | undefined {
    const { credential, version } = state
    const feeds = ({ observed }: Target) => observed?.owners.some(({ uid }) => uid === credential.uid) === true
    const target = targets.find(({ desired }) => desired.selectedBy.includes(state))
    if (target) {
      const { desired, change, obstacle, failure } = target
      const upToDate = desired.state === 'present' && change !== 'wait' && state.entries !== undefined
      return {
        version: upToDate ? version : pending,
        selected: true,
        failure: failure ?? (desired.state === 'held' && state.entries === undefined ? undefined : obstacle),
        serviceAccounts: this.#countLinks(namespace, credential, desired.name),
        overlaps:
          target.payload?.overlaps.filter((o) => o.winner === credential.name || o.loser === credential.name) ?? [],
      }
    }
    if (state.frozen) {
      const frozen = targets.find(feeds)
      if (frozen === undefined) return undefined
      const serviceAccounts = this.#countLinks(namespace, credential, frozen.desired.name)
      return { ...leaving(version, undefined), selected: true, serviceAccounts }
    }
    const problems = targets.map((each) => {
      const mayRefer = feeds(each) || each.desired.name === credential.secretName
      return (mayRefer ? each.failure : undefined) ?? (feeds(each) ? each.obstacle : undefined)
    })
    const left = problems.find((each) => each !== undefined)
    return left && this.#parts.board.has(credential.name, namespace) ? leaving(version, left) : undefined
  }

  #countLinks(
    namespace: string,
    credential: CredentialState['credential'],
    secret: string,
  ): Outcome['serviceAccounts'] {
    const count = { selected: 0, linked: 0 }
    for (const serviceAccount of this.#parts.caches.serviceAccounts.inNamespace(namespace)) {
      if (!selectsServiceAccount(credential, serviceAccount)) continue
      count.selected++
      if (serviceAccount.pullSecrets.includes(secret)) count.linked++
    }
    return count
  }
}

/** No version of a credential has this number. */
const pending = -1

function leaving(version: number, failure: Problem | undefined): Outcome {
  return { version, selected: false, failure, serviceAccounts: { selected: 0, linked: 0 }, overlaps: [] }
}

/** What stands in the way and is for somebody else to mend; the watches tell when they have. */
function obstacle(desired: DesiredSecret, change: SecretChange, mayBeSource: boolean): Problem | undefined {
  const secret = `Secret ${desired.name}`
  if (change === 'not-owned' && mayBeSource) {
    const message = `${secret} is in the operator's own namespace, where it may be the source of a credential, and is never written; exclude this namespace from the selection.`
    return { reason: 'SourceSecret', message }
  }
  if (change === 'not-owned') {
    const cure = 'delete it, or, if it is of type kubernetes.io/dockerconfigjson, annotate it regcred.dev/adopt=true'
    return { reason: 'NotOwned', message: `${secret} is not managed by this operator and is left alone; ${cure}.` }
  }
  if (desired.state === 'held' && desired.waitsFor.length > 0) {
    const sources = desired.waitsFor.join(', ')
    return {
      reason: 'WaitingForSource',
      message: `${secret} stays as it is, since the source of ${sources} cannot be read.`,
    }
  }
  return undefined
}

/** The API server tells why a Secret cannot be taken over, but not what to do about it. */
function withCure({ change, desired }: Target, problem: Problem | undefined): Problem | undefined {
  if (change !== 'take' || problem?.reason !== 'Invalid') return problem
  return { ...problem, message: `${problem.message}; delete Secret ${desired.name}, and it is made anew.` }
}

function about(serviceAccount: string, { reason, message }: Problem): Problem {
  return { reason, message: `ServiceAccount ${serviceAccount}: ${message}` }
}
