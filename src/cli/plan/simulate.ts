/**
 * What the namespace loop (controller/namespace-loop.ts) would do in one namespace, in its order and by the same rules of
 * the model, without doing it.
 */
import { type CredentialRecord, CredentialStates } from '../../controller/credential-states.ts'
import { claimsOf } from '../../controller/marks.ts'
import { type Payload, Payloads } from '../../controller/payloads.ts'
import { blame, tooManyPullSecrets } from '../../model/blame.ts'
import { type CredentialState, desiredSecret } from '../../model/desired.ts'
import { decodeBase64, type Entries, parseDockerConfigJson } from '../../model/docker-config.ts'
import { isFull, linkChange } from '../../model/link-change.ts'
import { linksOf } from '../../model/links.ts'
import type { ObservedServiceAccount, RecognizedSecret } from '../../model/observed.ts'
import type { Problem } from '../../model/outcome.ts'
import { asSource, type SecretChange, secretChange } from '../../model/secret-change.ts'
import { type Namespace, selectsServiceAccount } from '../../model/selection.ts'
import { type CountLinks, outcomeOf, type Target } from '../../model/target.ts'

/** All that the loop looks at. */
export interface World {
  states: readonly CredentialState[]
  namespaces: readonly Namespace[]
  /** By namespace. */
  serviceAccounts: ReadonlyMap<string, readonly ObservedServiceAccount[]>
  /** By `secretKey`. */
  secrets: ReadonlyMap<string, RecognizedSecret>
  /** The Secret names that the installation may write. */
  secretNames: readonly string[]
  operatorNamespace: string
}

export interface SecretStep {
  name: string
  change: SecretChange
  /** What is in it afterwards, in entries that stand for the real ones (known-state.ts); undefined: nothing of ours. */
  entries: Entries | undefined
}

export interface LinkStep {
  serviceAccount: string
  added: readonly string[]
  removed: readonly string[]
  /** They stay, and are not ours any more. */
  released: readonly string[]
}

export interface Steps {
  namespace: string
  secrets: readonly SecretStep[]
  links: readonly LinkStep[]
  /** Credential → what stands in its way here, and is for somebody to mend. */
  problems: ReadonlyMap<string, Problem>
}

export function secretKey(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** Of one world; what all its namespaces have in common is worked out once. */
export class Simulator {
  readonly #world: World
  readonly #payloads = new Payloads((text) => text)
  /** Which know what may be the source of a credential. */
  readonly #records: CredentialStates
  /** Payload → its entries. */
  readonly #entries = new WeakMap<Payload, Entries>()

  constructor(world: World) {
    this.#world = world
    this.#records = new CredentialStates(world.operatorNamespace)
    for (const state of world.states) this.#records.set({ ...state, ...nothingElse })
  }

  /** @param earlier the steps before the change: what is in a Secret then is compared with what is to be in it */
  steps(namespace: Namespace, earlier?: Steps): Steps {
    const { states, serviceAccounts, secretNames } = this.#world
    if (namespace.terminating) return { namespace: namespace.name, secrets: [], links: [], problems: new Map() }
    const targets = secretNames.map((name) => this.#target(namespace, name, earlier))
    const staying = (serviceAccounts.get(namespace.name) ?? []).filter(({ deleting }) => !deleting)
    const links = staying.flatMap((serviceAccount) => {
      if (isFull(serviceAccount)) blame(tooManyPullSecrets, serviceAccount, targets)
      if (serviceAccount.tooMany) return []
      const change = linkChange(serviceAccount, linksOf(serviceAccount, namespace, targets, states))
      return change ? linkStep(serviceAccount, change) : []
    })
    const secrets = targets.map(({ desired: { name }, change, stuck, failure, wanted }) => {
      const staysFor = (change === 'delete' || change === 'release') && (stuck ?? failure)
      return { name, change: staysFor ? ('none' as const) : change, entries: wanted && this.#entriesOf(wanted.payload) }
    })
    const problems = new Map<string, Problem>()
    for (const state of states) {
      const problem = outcomeOf(state, namespace, targets, countLinks(staying))?.failure
      if (problem) problems.set(state.credential.name, problem)
    }
    return { namespace: namespace.name, secrets, links, problems }
  }

  /** After what is to be written was written. */
  #target(namespace: Namespace, name: string, earlier: Steps | undefined): TargetWithPayload {
    const { secrets, states } = this.#world
    const secret = secrets.get(secretKey(namespace.name, name))
    const mayBeSource = secret !== undefined && this.#records.mayBeSource(secret)
    const observed = secret && mayBeSource ? asSource(secret) : secret
    const desired = desiredSecret(name, namespace, states, observed)
    const payload = desired.state === 'present' ? this.#payloads.of(desired.contributors) : undefined
    const before = earlier && { entries: earlier.secrets.find((each) => each.name === name)?.entries }
    const wanted = payload && { ...payload, payload, mark: this.#markOf(payload, observed, before) }
    const change = secretChange(desired, observed, wanted)
    const isWritten = change === 'create' || change === 'update' || change === 'take'
    const available = isWritten || (observed?.ours === true && !observed.deleting)
    const nothing = { failure: undefined, stuck: undefined, contended: undefined }
    return { desired, observed, change, wanted, mayBeSource, isWritten, available, ...nothing }
  }

  /** The mark that is on the Secret where it would be made of the same, and one that is on none where it would not. */
  #markOf(
    payload: Payload,
    observed: RecognizedSecret | undefined,
    before: { entries: Entries | undefined } | undefined,
  ): string {
    const uids = payload.madeOf.map(({ credential }) => credential.uid).join()
    const isMadeOfThem = observed?.mark !== undefined && claimsOf(observed).join() === uids
    const isSame = before === undefined || isEqual(before.entries, this.#entriesOf(payload))
    return isMadeOfThem && isSame ? (observed.mark ?? '') : 'another'
  }

  #entriesOf(payload: Payload): Entries {
    const entries = this.#entries.get(payload) ?? parseDockerConfigJson(decodeBase64(payload.data) ?? '')
    this.#entries.set(payload, entries)
    return entries
  }
}

interface TargetWithPayload extends Target {
  wanted: (NonNullable<Target['wanted']> & { payload: Payload }) | undefined
}

const nothingElse: Omit<CredentialRecord, keyof CredentialState> = {
  problem: undefined,
  refreshFailure: undefined,
  isOutdated: false,
  material: undefined,
  check: undefined,
}

function linkStep(
  { name, pullSecrets, managed }: ObservedServiceAccount,
  change: { pullSecrets: readonly string[]; managed: readonly string[] },
): LinkStep {
  return {
    serviceAccount: name,
    added: change.pullSecrets.filter((each) => !pullSecrets.includes(each)),
    removed: pullSecrets.filter((each) => !change.pullSecrets.includes(each)),
    released: managed.filter((each) => change.pullSecrets.includes(each) && !change.managed.includes(each)),
  }
}

function countLinks(serviceAccounts: readonly ObservedServiceAccount[]): CountLinks {
  return (credential, secretName) => {
    const selected = serviceAccounts.filter((each) => selectsServiceAccount(credential, each))
    const linked = selected.filter(({ pullSecrets }) => pullSecrets.includes(secretName))
    return { selected: selected.length, linked: linked.length }
  }
}

function isEqual(a: Entries | undefined, b: Entries): boolean {
  return a !== undefined && a.size === b.size && JSON.stringify([...a]) === JSON.stringify([...b])
}
